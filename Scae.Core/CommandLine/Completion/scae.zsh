# What may stand where a value is typed: what reply holds, or the kind of value it names.
_scae_value() {
    local experiment=$1
    case $reply[1] in
    @text) return 1 ;;
    @folder) _files -/ ;;
    @file) _files ;;
    @preset) _scae_words "presets:$experiment" && _describe -t presets preset reply ;;
    @presets)
        compset -P '*,'
        _scae_words "presets:$experiment"
        reply+=('all:every one but quick')
        _describe -t presets preset reply -S ''
        ;;
    @vary)
        compset -P '*[=,]*' && return 1
        _scae_words "hyperparameters:$experiment"
        reply=(${reply#--})
        _describe -t hyperparameters hyperparameter reply -S '='
        ;;
    *) _describe -t values value reply ;;
    esac
}

_scae() {
    local current=$words[CURRENT] previous=$words[CURRENT-1] verb=$words[2] experiment= word
    local -a reply names options
    if (( CURRENT == 2 )); then
        _scae_words verbs
        reply+=('--help:every command' '--version:the version')
        _describe -t commands command reply
        return
    fi

    _scae_words experiments
    names=(${reply%%:*})
    for word in $words[3,CURRENT-1]; do
        (( $names[(Ie)$word] )) && experiment=$word && break
    done

    if [[ $current == --*=* ]]; then
        previous=${current%%=*}
        compset -P '--*='
    fi

    _scae_words "value:$verb:$previous"
    if (( ! $#reply )) && _scae_words "sets:$verb" && (( $#reply )); then
        _scae_words "value:$experiment:$previous"
    fi

    if (( $#reply )); then
        _scae_value "$experiment"
    elif [[ $current == -* || -n $experiment ]]; then
        _scae_words "options:$verb"
        options=($reply '--help:what the command takes')
        if _scae_words "sets:$verb" && (( $#reply )); then
            _scae_words "hyperparameters:$experiment"
            options+=($reply)
        fi
        _describe -t options option options
    else
        _scae_words "main:$verb"
        (( $#reply )) && _scae_value ''
    fi
}

if [[ $funcstack[1] == _scae ]]; then
    _scae "$@"
else
    compdef _scae scae
fi

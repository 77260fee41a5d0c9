# Fills COMPREPLY with the words of a list that begin with what is typed.
_scae_offer() {
    local IFS=$' \t\n'
    COMPREPLY=($(compgen -W "$1" -- "$2"))
}

_scae_paths() {
    local IFS=$'\n'
    compopt -o filenames 2>/dev/null # Bash 3.2 of macOS has no compopt.
    COMPREPLY=($(compgen "$1" -- "$2"))
}

# What may stand where a value is typed: a list, or the kind of value it is.
_scae_value() {
    local list=$1 experiment=$2 current=$3 before=
    case $list in
    @text) ;;
    @folder) _scae_paths -d "$current" ;;
    @file) _scae_paths -f "$current" ;;
    @preset) _scae_offer "$(_scae_words "presets:$experiment")" "$current" ;;
    @presets)
        [[ $current == *,* ]] && before=${current%,*},
        _scae_offer "all $(_scae_words "presets:$experiment")" "${current##*,}"
        [[ -n $before && ${#COMPREPLY[@]} -gt 0 ]] && COMPREPLY=("${COMPREPLY[@]/#/$before}")
        ;;
    @vary)
        list=" $(_scae_words "hyperparameters:$experiment")"
        _scae_offer "${list// --/ }" "$current"
        compopt -o nospace 2>/dev/null
        [[ ${#COMPREPLY[@]} -gt 0 ]] && COMPREPLY=("${COMPREPLY[@]/%/=}")
        ;;
    *) _scae_offer "$list" "$current" ;;
    esac
}

_scae() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]}
    local experiment= list= word
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        _scae_offer "$(_scae_words verbs) --help --version" "$current"
        return
    fi

    for word in "${COMP_WORDS[@]:2:COMP_CWORD-2}"; do
        [[ " $(_scae_words experiments) " == *" $word "* ]] && experiment=$word && break
    done

    # Bash takes --preset=quick for three words.
    [[ $current == = ]] && current=
    [[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
    list=$(_scae_words "value:$verb:$previous")
    if [[ -z $list && -n $(_scae_words "sets:$verb") ]]; then
        list=$(_scae_words "value:$experiment:$previous")
    fi

    if [[ -n $list ]]; then
        _scae_value "$list" "$experiment" "$current"
    elif [[ $current == -* || -n $experiment ]]; then
        list="$(_scae_words "options:$verb") --help"
        [[ -n $(_scae_words "sets:$verb") ]] && list+=" $(_scae_words "hyperparameters:$experiment")"
        _scae_offer "$list" "$current"
    else
        _scae_value "$(_scae_words "main:$verb")" "" "$current"
    fi
}

complete -F _scae scae

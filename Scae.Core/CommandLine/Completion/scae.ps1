# What may stand after some words: names with what they mean. Nothing is left to PowerShell, which offers files.
function Get-ScaeCompletion([string[]] $words, [string] $current) {
    if ($words.Count -lt 2) { return $ScaeWords['verbs'] }
    $verb = $words[1]
    $previous = $words[-1]
    $experiment = @($words | Select-Object -Skip 2 | Where-Object { $ScaeWords['experiments'].Contains($_) }) | Select-Object -First 1
    $sets = $ScaeWords.ContainsKey("sets:$verb")
    $list = $ScaeWords["value:${verb}:$previous"]
    if ($null -eq $list -and $sets) { $list = $ScaeWords["value:${experiment}:$previous"] }
    if ($null -eq $list -and ($current.StartsWith('-') -or $experiment)) {
        $list = [ordered]@{}
        $parts = @($ScaeWords["options:$verb"])
        if ($sets) { $parts += $ScaeWords["hyperparameters:$experiment"] }
        foreach ($part in $parts) {
            if ($null -ne $part) { foreach ($name in $part.Keys) { $list[$name] = $part[$name] } }
        }
        $list['--help'] = 'what the command takes'
    }
    if ($null -eq $list) { $list = $ScaeWords["main:$verb"] }
    if ($null -eq $list) { return [ordered]@{} }
    switch (@($list.Keys)[0]) {
        '@preset' { return $ScaeWords["presets:$experiment"] }
        '@presets' { return $ScaeWords["presets:$experiment"] }
        '@vary' {
            $names = [ordered]@{}
            $known = $ScaeWords["hyperparameters:$experiment"]
            if ($null -ne $known) { foreach ($name in $known.Keys) { $names[$name.Substring(2) + '='] = $known[$name] } }
            return $names
        }
        { $_.StartsWith('@') } { return [ordered]@{} }
    }
    return $list
}

Register-ArgumentCompleter -Native -CommandName scae -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { "$_" })
    $list = Get-ScaeCompletion $words $wordToComplete
    foreach ($name in $list.Keys) {
        if ($name.StartsWith($wordToComplete)) {
            $meaning = if ($list[$name]) { $list[$name] } else { $name }
            [System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', $meaning)
        }
    }
}

/**
 * What `kubectl completion SHELL` prints: a function for that shell that asks `kubectl __complete` with the words of the
 * line and offers what comes back. Written for this project; the protocol is cobra's, so they serve any kubectl.
 */

/** In an eval, so that a shell which is no bash (the laptop's completes kubectl by itself) can read the file without harm. */
const BASH = `# bash completion for kubectl
if [ -n "\${BASH_VERSION-}" ]; then
eval '
__kubectl_complete() {
  local line word tail directive
  local -a asked=("\${COMP_WORDS[@]:1:COMP_CWORD}") kept=()
  for word in "\${asked[@]}"; do
    # bash takes = and : for words of their own.
    if [[ $word == [=:] && \${#kept[@]} -gt 0 ]]; then kept[-1]+=$word
    elif [[ \${#kept[@]} -gt 0 && \${kept[-1]} == *[=:] ]]; then kept[-1]+=$word
    else kept+=("$word"); fi
  done
  [[ \${#kept[@]} -gt 0 ]] || kept=("")
  COMPREPLY=()
  directive=0
  tail=\${kept[-1]}
  while IFS= read -r line; do
    case $line in
      :[0-9]*) directive=\${line#:} ;;
      *) line=\${line%%$'"'"'\\t'"'"'*}
         [[ $tail == *[=:]* && $line == "\${tail%[=:]*}"[=:]* ]] && line=\${line#"\${tail%[=:]*}"[=:]}
         COMPREPLY+=("$line") ;;
    esac
  done < <("\${COMP_WORDS[0]}" __complete "\${kept[@]}" 2>/dev/null)
  if (( directive & 2 )); then compopt -o nospace 2>/dev/null; fi
  if (( !(directive & 4) )) && [[ \${#COMPREPLY[@]} -eq 0 ]]; then compopt -o default 2>/dev/null; fi
}
complete -F __kubectl_complete kubectl
'
fi
`;

const ZSH = `#compdef kubectl
compdef _kubectl kubectl
# zsh completion for kubectl
_kubectl() {
  local line directive=0
  local -a offers described
  while IFS= read -r line; do
    case $line in
      :[0-9]*) directive=\${line#:} ;;
      *) offers+=("\${line%%$'\\t'*}"); described+=("\${\${line//:/\\\\:}/$'\\t'/:}") ;;
    esac
  done < <("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#offers} > 0 )); then
    if (( directive & 2 )); then _describe -V 'completions' described -S ''
    else _describe -V 'completions' described; fi
  elif (( !(directive & 4) )); then
    _files
  fi
}
if [ "\${funcstack[1]}" = "_kubectl" ]; then _kubectl; fi
`;

const FISH = `# fish completion for kubectl
function __kubectl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
        if not string match -qr '^:[0-9]+$' -- $line
            echo $line
        end
    end
end
function __kubectl_files_wanted
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    string match -q ':0' -- ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)[-1]
end
complete -c kubectl -e
complete -c kubectl -n 'not __kubectl_files_wanted' -f -a '(__kubectl_complete)'
complete -c kubectl -n __kubectl_files_wanted -F
`;

const POWERSHELL = `# powershell completion for kubectl
Register-ArgumentCompleter -Native -CommandName kubectl -ScriptBlock {
    param($WordToComplete, $CommandAst, $CursorPosition)
    $words = @($CommandAst.CommandElements | Where-Object { $_.Extent.EndOffset -le $CursorPosition } | ForEach-Object { $_.Extent.Text })
    $before = @($words | Select-Object -Skip 1)
    if ($WordToComplete -ne '' -and $before.Count -gt 0) { $before = @($before | Select-Object -SkipLast 1) }
    $current = if ($WordToComplete -eq '') { '""' } else { $WordToComplete }
    & $words[0] __complete @before $current 2>$null | Where-Object { $_ -notmatch '^:[0-9]+$' } | ForEach-Object {
        $name, $text = $_ -split "\`t", 2
        if (-not $text) { $text = $name }
        [System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', $text)
    }
}
`;

export const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL };

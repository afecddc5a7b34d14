/** Before the words of a command line that is not complete yet. */
export const COMPLETE_FLAG = '--complete-words'

/** Shells that have a script. */
export type Shell = 'bash' | 'zsh'

/**
 * What a shell sources so that the tab key knows tsha. Each one hands the words before the cursor to
 * `tsha --complete-words`, and completes file names where that has no answer.
 */
export function completionScript(shell: Shell): string {
  return shell === 'bash' ? BASH : ZSH
}

// Bash takes words apart at colons, which peers have in their names, and at equals signs. They are put
// together again for tsha, and what stands before the last separator is taken off its answers.
const BASH = `# Completion of tsha for bash: source <(tsha completion bash)
_tsha()
{
    local words=() word previous='' current i
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=\${COMP_WORDS[i]}
        if ((i > 1)) && [[ $word == [:=] || $previous == [:=] ]]; then
            words[\${#words[@]}-1]+=$word
        else
            words+=("$word")
        fi
        previous=$word
    done
    current=\${words[\${#words[@]}-1]}
    mapfile -t COMPREPLY < <(tsha ${COMPLETE_FLAG} "\${words[@]}" 2>/dev/null)
    if [[ $current == *[:=]* ]]; then
        local prefix=\${current%"\${current##*[:=]}"}
        COMPREPLY=("\${COMPREPLY[@]#"$prefix"}")
    fi
}
complete -o bashdefault -o default -F _tsha tsha
`

const ZSH = `#compdef tsha
# Completion of tsha for zsh: source <(tsha completion zsh), after compinit
_tsha()
{
    local -a answers
    answers=("\${(@f)$(tsha ${COMPLETE_FLAG} "\${(@)words[1,CURRENT]}" 2>/dev/null)}")
    answers=("\${(@)answers:#}")
    if ((\${#answers})); then
        compadd -- "\${(@)answers}"
    else
        _files
    fi
}
if [[ \${zsh_eval_context[-1]} == loadautofunc ]]; then
    _tsha "$@"
else
    compdef _tsha tsha
fi
`

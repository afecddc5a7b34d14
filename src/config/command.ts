/** Characters that only a shell understands, in a command that is run without one. */
const SHELL_SYNTAX = /[|&;<>`$*?()]/

/**
 * Splits a command into program and arguments at blanks, as keepalived does with a `script`: quotes
 * of both kinds hold words together, a backslash keeps the next character. A list is taken as it is.
 */
export function splitCommand(command: string | readonly string[]): string[] {
  if (typeof command !== 'string') return [...command]
  const words: string[] = []
  const pattern = /(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])+/gs
  for (const [word] of command.matchAll(pattern)) {
    words.push(
      word.replace(
        /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/gs,
        (
          _all,
          double: string | undefined,
          single: string | undefined,
          escaped: string | undefined
        ) => double?.replace(/\\(.)/gs, '$1') ?? single ?? escaped ?? ''
      )
    )
  }
  return words
}

/** True when a command written as one text needs a shell, outside of quotes. */
export function needsShell(command: string | readonly string[]): boolean {
  if (typeof command !== 'string') return false
  return SHELL_SYNTAX.test(command.replace(/"(?:[^"\\]|\\.)*"|'[^']*'|\\./gs, ''))
}

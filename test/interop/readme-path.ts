/*
 * The path of a newcomer, as README.md prints it: which commands, on which machine, and what they say.
 */

/** Commands that are typed one after the other in one place. */
export interface Step {
  /** The machine or folder of the comment in the first line; empty without one. */
  readonly where: string
  readonly commands: readonly string[]
  /** What the last command prints; null where README does not show it. */
  readonly output: string | null
}

/**
 * The blocks marked `sh` below a heading, each with the block marked `text` that follows it.
 *
 * @param markdown a whole page
 * @param heading of the second level
 */
export function readSteps(markdown: string, heading: string): readonly Step[] {
  const section = markdown.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const steps: Step[] = []
  for (const [, language, content = ''] of section.matchAll(/^```(sh|text)\n(.*?)^```$/gms)) {
    const last = steps.at(-1)
    if (language === 'sh') steps.push(stepOf(content.trimEnd().split('\n')))
    else if (last?.output === null) steps[steps.length - 1] = { ...last, output: content }
    else throw new Error(`no command prints this: ${content}`)
  }
  return steps
}

function stepOf(lines: readonly string[]): Step {
  const [first = ''] = lines
  const where = /^# (?:in|on) (.*)$/.exec(first)?.[1] ?? ''
  return { where, commands: where === '' ? lines : lines.slice(1), output: null }
}

/**
 * An expression for what a command really prints: times of day, durations and widths of columns differ,
 * and `…` stands for the rest of a line or, alone, for any lines.
 */
export function patternOf(output: string): RegExp {
  const lines = output.trimEnd().split('\n')
  const pattern = lines.map((line) =>
    line === '…' ? '(?:.*\\n)*?' : `${linePattern(line.trimEnd())}\\n`
  )
  return new RegExp(`^${pattern.join('')}$`)
}

const VARIABLE = [
  [/\d\d:\d\d:\d\d(?:\.\d+)?/, String.raw`\d\d:\d\d:\d\d(?:\.\d+)?`],
  [/\d+(?:\.\d+)? (?:ms|s|min|h)\b/, String.raw`\d+(?:\.\d+)? (?:ms|s|min|h)`],
  [/ +/, ' +'],
  [/…/, '.*']
] as const

function linePattern(line: string): string {
  const any = new RegExp(VARIABLE.map(([found]) => `(${found.source})`).join('|'), 'g')
  let pattern = ''
  let at = 0
  for (const match of line.matchAll(any)) {
    pattern += literally(line.slice(at, match.index))
    pattern += VARIABLE.find((_each, index) => match[index + 1] !== undefined)?.[1] ?? ''
    at = match.index + match[0].length
  }
  return pattern + literally(line.slice(at))
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

import { TSHA_COMMAND } from './pair-files.js'
import type { TshaDirector } from './tsha.js'

/** `drain --wait` gets this long, too. */
const TIMEOUT_MS = 30_000

/** What a command came to: its exit code, and its lines on standard output and on standard error. */
export interface Said {
  readonly code: number | null
  readonly out: readonly string[]
  readonly err: readonly string[]
}

/**
 * Types a command on a director, such as `step-down nginx`: another process, which reaches the director
 * through the socket at its usual place.
 */
export async function tsha(director: TshaDirector, command: string): Promise<Said> {
  await director.waitForAdmin()
  const args = [TSHA_COMMAND, ...command.split(' ')]
  const { host } = director
  const { code, stdout, stderr } = await host.run(process.execPath, args, { timeoutMs: TIMEOUT_MS })
  return { code, out: linesOf(stdout), err: linesOf(stderr) }
}

/** The same lines whenever they are printed: without times, rates, sizes and ids, and less apart. */
export function masked(lines: readonly string[]): readonly string[] {
  return lines.map((line) =>
    MASKS.reduce((text, [what, mask]) => text.replaceAll(what, mask), line)
  )
}

const MASKS: readonly (readonly [RegExp, string])[] = [
  [/(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d(?:\.\d{3})?Z?/g, 'TIME'],
  [/\b\d+(?:\.\d+)? (?:ms|s|min)\b/g, 'SPAN'],
  [/\bSPAN SPAN\b/g, 'SPAN'],
  [/\b[0-9a-f]{12}\b/g, 'HASH'],
  [/(?<=\S) {2,}/g, '  ']
]

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n')
}

import { readFile, stat } from 'node:fs/promises'
import { parseRecording, type Placed } from '../director/recording/recording.js'
import {
  replay as replayEntries,
  type Replay,
  type ReplayedSubject
} from '../director/recording/replay.js'
import { VERSION } from '../director/version.js'
import { ConfigError, messageOf, type Problem } from '../errors.js'
import { timelineOf } from './replay-timeline.js'

export interface ReplayOptions {
  /** A recording; `-` is standard input. */
  readonly file: string
  /** Whether what happened is told, too. */
  readonly verbose: boolean
}

/** In the order in which they are told. */
const KINDS = ['virtual router', 'sync group', 'check', 'peer'] as const

/** Many times what a director keeps. */
const LARGEST_BYTES = 256 * 1024 * 1024

/**
 * `tsha replay`: makes the decisions of a recording again, from its inputs, and says whether they come
 * out the same.
 *
 * @returns the text to print, and the exit code: 1 when a decision came out differently
 * @throws {ConfigError} with everything that is wrong with the file
 */
export async function replay({ file, verbose }: ReplayOptions): Promise<{
  readonly text: string
  readonly code: 0 | 1
}> {
  const { entries, problems } = parseRecording(await readRecording(file))
  if (problems.length > 0) throw unusable(file, problems)
  const result = replayEntries(entries)
  if (result.problems.length > 0) throw unusable(file, result.problems)
  const lines = [
    ...(verbose ? timeline(entries) : []),
    ...versionNote(entries),
    ...KINDS.flatMap((kind) => result.subjects.filter((each) => each.kind === kind).map(countText)),
    ...differenceText(file, result)
  ]
  return { text: `${lines.join('\n')}\n`, code: result.difference === null ? 0 : 1 }
}

async function readRecording(file: string): Promise<string> {
  const path = file === '-' ? '/dev/stdin' : file
  try {
    const { size } = await stat(path)
    if (size > LARGEST_BYTES) {
      throw new RangeError(`it has ${size} bytes; a recording has at most ${LARGEST_BYTES}`)
    }
    return await readFile(path, 'utf8')
  } catch (error) {
    const message = `cannot read ${file}: ${messageOf(error)}`
    throw new ConfigError([{ code: 'TSHA_E_FILE', message }])
  }
}

function unusable(
  file: string,
  problems: readonly { readonly line: number; readonly message: string }[]
): ConfigError {
  return new ConfigError(
    problems.map(({ line, message }): Problem => ({
      code: 'TSHA_E_RECORDING',
      message,
      position: { file, line, column: 1 }
    }))
  )
}

function timeline(entries: readonly Placed[]): readonly string[] {
  return entries.flatMap(({ entry }) => timelineOf(entry) ?? [])
}

function versionNote(entries: readonly Placed[]): readonly string[] {
  const [first] = entries
  if (first?.entry.type !== 'header' || first.entry.version === VERSION) return []
  return [`recorded by tsha ${first.entry.version}, replayed by ${VERSION}`]
}

function countText({ kind, name, agreed, gaps }: ReplayedSubject): string {
  const what = kind === 'virtual router' ? 'step' : 'decision'
  const agreement = agreed === 1 ? `1 ${what} agrees` : `${agreed} ${what}s agree`
  const missing = gaps === 0 ? '' : `, ${gaps} gap${gaps === 1 ? '' : 's'}`
  return `${kind} ${name}: ${agreement}${missing}`
}

function differenceText(file: string, { difference }: Replay): readonly string[] {
  if (difference === null) return []
  const { line, kind, name, expected, found } = difference
  return [
    `${file}:${line}: ${kind} ${name} comes out differently`,
    `  recorded ${expected}`,
    `  replayed ${found}`
  ]
}

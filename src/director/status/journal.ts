import type { AdminEvent } from '../../admin/model.js'

/** What is kept for those who ask later: so many events, and so much text of them. */
const MOST_EVENTS = 1000
const MOST_CHARACTERS = 1024 * 1024
/** Of a longer line the details are left out: they could hold one file's worth of anything. */
const LONGEST_LINE = 16 * 1024
const LONGEST_TEXT = 1024

/** pino's numbers; what is below `info` is no event. */
const LEVELS: ReadonlyMap<unknown, AdminEvent['level']> = new Map([
  [30, 'info'],
  [40, 'warn'],
  [50, 'error'],
  [60, 'fatal']
])

/**
 * The fields that say what a line is about, the most telling one first: a virtual router that tells of
 * an interface is a virtual router.
 */
const SUBJECTS: readonly (readonly [field: string, kind: AdminEvent['kind']])[] = [
  ['router', 'virtual-router'],
  ['group', 'sync-group'],
  ['check', 'check'],
  ['server', 'peer'],
  ['host', 'peer'],
  ['worker', 'worker'],
  ['interface', 'check']
]

/** The rest of what every line has. */
const COMMON_FIELDS: ReadonlySet<string> = new Set(['level', 'time', 'pid', 'msg'])

interface Kept {
  readonly event: AdminEvent
  readonly characters: number
}

/**
 * The last lines of the log as events: what the log says is what happened, and there is no second
 * truth. It takes the written lines themselves, so it can hold nothing that the log does not have.
 */
export class Journal {
  readonly #listeners = new Set<(event: AdminEvent) => void>()
  /** Oldest first. */
  readonly #kept: Kept[] = []
  #characters = 0
  #lastId = 0

  /**
   * Takes a line of the log. One that is no JSON object, or below `info`, is no event.
   *
   * @param line as pino writes it
   */
  take(line: string): void {
    const fields = parse(line)
    const level = LEVELS.get(fields?.['level'])
    if (fields === null || level === undefined) return
    const event = toEvent(fields, level, this.#lastId + 1, line.length > LONGEST_LINE)
    this.#lastId = event.id
    this.#keep({ event, characters: Math.min(line.length, LONGEST_LINE) })
    for (const listener of this.#listeners) listener(event)
  }

  /** What is kept, oldest first. */
  events(): readonly AdminEvent[] {
    return this.#kept.map(({ event }) => event)
  }

  /** Kept events with a greater id, oldest first, at most `limit`. */
  after(id: number, limit: number): readonly AdminEvent[] {
    // Ids have no gaps.
    const skipped = Math.max(0, id + 1 - (this.#kept[0]?.event.id ?? 0))
    return this.#kept.slice(skipped, skipped + limit).map(({ event }) => event)
  }

  /**
   * Tells each event from now on. The listener must neither throw nor write to the log.
   *
   * @returns ends that
   */
  onEvent(listener: (event: AdminEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  #keep(kept: Kept): void {
    this.#kept.push(kept)
    this.#characters += kept.characters
    while (this.#kept.length > MOST_EVENTS || this.#characters > MOST_CHARACTERS) {
      this.#characters -= this.#kept.shift()?.characters ?? 0
    }
  }
}

function parse(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

function toEvent(
  fields: Readonly<Record<string, unknown>>,
  level: AdminEvent['level'],
  id: number,
  isTooLong: boolean
): AdminEvent {
  const [field, kind] = SUBJECTS.find(([name]) => isName(fields[name])) ?? [null, 'director']
  const others = Object.entries(fields).filter(
    ([name]) => name !== field && !COMMON_FIELDS.has(name)
  )
  return {
    id,
    at: textOf(fields['time']),
    level,
    kind,
    subject: field === null ? null : String(fields[field]),
    text: textOf(fields['msg']).slice(0, LONGEST_TEXT),
    details: isTooLong ? { truncated: true } : Object.fromEntries(others)
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function isName(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number'
}

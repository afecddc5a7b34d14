import { setTimeout as delay } from 'node:timers/promises'
import type { AdminEvent } from '../admin/model.js'
import { messageOf } from '../errors.js'
import { hasEnded, readEvent, type AdminClient } from './client.js'
import { formatEvent, isAtLeast, type Level } from './events-view.js'
import { outputView, writeLines } from './output.js'
import { ASK_MS, openClient } from './status.js'
import { flagError, readDuration, type TargetFlags } from './target.js'

export interface EventsFlags extends TargetFlags {
  readonly follow: boolean | undefined
  /** A duration such as `10m`. */
  readonly since: string | undefined
  readonly lines: string | undefined
  readonly level: Level | undefined
  readonly json: boolean | undefined
}

/** How many are shown when nothing else is said. */
const DEFAULT_LINES = 50
/** Most events of one answer. */
const PAGE = 1000
const MAX_PAGES = 10
const RETRY_MS = 1000
/** The admin process gives a sign of life every 10 s. */
const IDLE_MS = 25_000

/** `tsha events`: what happened, and with `-f` what happens. @returns the exit code */
export async function events(flags: EventsFlags): Promise<number> {
  const { level = 'info', since, json = false, follow = false } = flags
  const sinceMs = since === undefined ? null : readDuration('--since', since)
  const lines = readLines(flags.lines) ?? (sinceMs === null ? DEFAULT_LINES : null)
  const client = await openClient(flags, ASK_MS)
  const view = outputView()
  const print = async (found: readonly AdminEvent[]): Promise<boolean> =>
    await writeLines(
      found.map((event) => (json ? JSON.stringify(event) : formatEvent(event, view)))
    )
  const kept =
    lines === null
      ? await allEvents(client, level)
      : await client.events(`?limit=${lines}&level=${level}`)
  const oldest = sinceMs === null ? -Infinity : Date.now() - sinceMs
  const isRead = await print(kept.filter(({ at }) => Date.parse(at) >= oldest))
  if (follow && isRead) await followEvents(client, kept.at(-1)?.id ?? 0, level, print)
  return 0
}

function readLines(written: string | undefined): number | null {
  if (written === undefined) return null
  const lines = /^\d{1,4}$/.test(written) ? Number(written) : NaN
  if (lines >= 1 && lines <= PAGE) return lines
  throw flagError(`--lines is ${written}; expected 1 to ${PAGE}`)
}

/** Everything that the director keeps, oldest first. */
async function allEvents(client: AdminClient, level: Level): Promise<readonly AdminEvent[]> {
  const found: AdminEvent[] = []
  for (let page = 0; page < MAX_PAGES; page++) {
    const events = await client.events(
      `?since=${found.at(-1)?.id ?? 0}&limit=${PAGE}&level=${level}`
    )
    found.push(...events)
    if (events.length < PAGE) break
  }
  return found
}

/** Id of the newest event that the director has, from the beginning of its stream. */
function readLastId(hello: string): number {
  const { last_id: lastId } = JSON.parse(hello) as { readonly last_id?: unknown }
  return typeof lastId === 'number' ? lastId : Infinity
}

/** New events until nobody reads them any more; a lost connection is told once and made anew. */
async function followEvents(
  client: AdminClient,
  newest: number,
  level: Level,
  print: (events: readonly AdminEvent[]) => Promise<boolean>
): Promise<void> {
  const stop = new AbortController()
  const { signal } = stop
  process.stdout.once('error', () => {
    stop.abort()
  })
  let lastId = newest
  let isLost = false
  while (!hasEnded(signal)) {
    try {
      const stream = client.stream(`/v1/events?level=${level}`, { signal, idleMs: IDLE_MS, lastId })
      for await (const { event, data } of stream) {
        if (isLost) process.stderr.write('tsha: connected again\n')
        isLost = false
        // A director that was started anew counts from 1 again.
        if (event === 'hello' && readLastId(data) < lastId) lastId = 0
        if (event !== 'log') continue
        const found = readEvent(data)
        if (found.id <= lastId) continue
        lastId = found.id
        if (isAtLeast(found.level, level) && !(await print([found]))) stop.abort()
      }
      if (!hasEnded(signal)) throw new Error('the director ended the connection')
    } catch (error) {
      if (hasEnded(signal)) break
      if (!isLost) process.stderr.write(`tsha: ${messageOf(error)}; trying again\n`)
      isLost = true
    }
    await delay(RETRY_MS, undefined, { signal }).catch(() => undefined)
  }
}

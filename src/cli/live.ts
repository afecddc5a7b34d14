import { setTimeout as delay } from 'node:timers/promises'
import type { Status } from '../admin/model.js'
import { messageOf } from '../errors.js'
import { hasEnded, readStatus, type AdminClient } from './client.js'
import { readRefusal } from './refusal.js'
import { Screen } from './screen.js'
import { flagError } from './target.js'
import type { View } from './style.js'
import { wrap } from './table.js'
import { readingOf } from './version-gap.js'
import { formatSpan, printable } from './words.js'

/** A status comes each second; a director that misses this many is not heard any more. */
const SILENCE_MS = 3000
const RETRY_MS = 1000

/**
 * Every status that the director tells, one a second, until `signal`. It never ends by itself: a lost
 * connection is told and made anew. Who takes a status slowly gets fewer of them.
 */
export async function followStatus(
  client: AdminClient,
  signal: AbortSignal,
  onStatus: (status: Status) => void | Promise<void>,
  onLost: (error: unknown) => void
): Promise<void> {
  while (!hasEnded(signal)) {
    try {
      for await (const { event, data } of client.stream('/v1/events?status=1&level=fatal', {
        signal,
        idleMs: SILENCE_MS
      })) {
        if (event === 'status') await onStatus(readStatus(data))
        // The admin process is there, the director does not answer it.
        else if (event === 'problem') onLost(readRefusal(data) ?? new Error(printable(data)))
      }
      if (!hasEnded(signal)) onLost(new Error('the director ended the connection'))
    } catch (error) {
      if (!hasEnded(signal)) onLost(error)
    }
    await delay(RETRY_MS, undefined, { signal }).catch(() => undefined)
  }
}

/**
 * Shows a view of the director on the whole terminal, until the user leaves.
 *
 * @param take called once for each status, before it is shown
 * @throws {ConfigError} when standard output is no terminal
 * @throws {TshaError} when the director is not there at the beginning
 */
export async function showLive(
  client: AdminClient,
  command: string,
  take: (status: Status) => (view: View) => readonly string[]
): Promise<void> {
  if (!process.stdout.isTTY) throw flagError(`${command} needs a terminal`)
  // A director that was never there is an error as of any command, not a screen that waits.
  const first = await client.status()
  let shown = viewOf(first, take)
  let lost: { readonly since: number; readonly why: string } | null = null
  const screen = new Screen()
  const show = (): void => {
    screen.draw((view) => [...notice(lost, view), ...shown(view)])
  }
  const clock = setInterval(() => {
    if (lost) show()
  }, 1000)
  try {
    show()
    await followStatus(
      client,
      screen.left,
      (status) => {
        lost = null
        shown = viewOf(status, take)
        show()
      },
      (error) => {
        lost = { since: lost?.since ?? Date.now(), why: messageOf(error) }
        show()
      }
    )
  } finally {
    clearInterval(clock)
    screen.close()
  }
}

function viewOf(
  status: Status,
  take: (status: Status) => (view: View) => readonly string[]
): (view: View) => readonly string[] {
  const lines = readingOf(status, () => take(status))
  return (view) => readingOf(status, () => lines(view))
}

/** What stands above a view that is no longer true. */
function notice(
  lost: { readonly since: number; readonly why: string } | null,
  { style, width }: View
): readonly string[] {
  if (lost === null) return []
  const age = formatSpan((Date.now() - lost.since) / 1000)
  return [
    style.alarm(` CONNECTION LOST ${age} ago: what follows is old; trying again `),
    ...wrap(lost.why, width, '  ').map(style.bad),
    ''
  ]
}

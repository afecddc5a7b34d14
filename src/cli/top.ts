import { setTimeout as delay } from 'node:timers/promises'
import type { Status } from '../admin/model.js'
import { showLive } from './live.js'
import { outputView, writeLines } from './output.js'
import { ASK_MS, openClient } from './status.js'
import type { TargetFlags } from './target.js'
import { formatTop } from './top-view.js'
import { ratesBetween } from './traffic-rates.js'
import { readingOf } from './version-gap.js'

/** Rates are those between now and the oldest of so many statuses, one a second. */
const WINDOW = 6

/** `tsha top`: live on a terminal; elsewhere the rates of one second. @returns the exit code */
export async function top(flags: TargetFlags): Promise<number> {
  const client = await openClient(flags, ASK_MS)
  if (!process.stdout.isTTY) {
    const before = await client.status()
    await delay(1000)
    const after = await client.status()
    await writeLines(
      readingOf(after, () => formatTop(after, ratesBetween(before, after), outputView()))
    )
    return 0
  }
  const statuses: Status[] = []
  await showLive(client, 'top', (status) => {
    // Another director, or the same one started anew: what was counted before says nothing.
    if (statuses.at(-1)?.started_at !== status.started_at) statuses.length = 0
    statuses.push(status)
    if (statuses.length > WINDOW) statuses.shift()
    const rates = ratesBetween(statuses[0] ?? status, status)
    return (view) => formatTop(status, rates, view)
  })
  return 0
}

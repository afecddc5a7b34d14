import { changesOf } from './diff-fields.js'
import type { Notify, Track } from './model.js'
import { isSame } from './same.js'

/** One line for each thing that is followed from now on, otherwise, or not any more. */
export function trackChanges(
  label: string,
  before: readonly Track[],
  after: readonly Track[]
): readonly string[] {
  const lost = before.filter((track) => !after.some((other) => isSame(track, other)))
  const gained = after.filter((track) => !before.some((other) => isSame(track, other)))
  const lines = [
    ...lost.map((track) => `${label}: no longer tracks ${textOf(track)}`),
    ...gained.map((track) => `${label}: tracks ${textOf(track)}`)
  ]
  if (lines.length > 0 || isSame(before, after)) return lines
  return [`${label}: order of tracks changed`]
}

/** One line for each program that changed; what it is may hold a secret. */
export function notifyChanges(label: string, before: Notify, after: Notify): readonly string[] {
  return changesOf<Notify>(label, before, after, {
    master: 'notify master',
    backup: 'notify backup',
    fault: 'notify fault',
    stop: 'notify stop',
    deleted: 'notify deleted',
    any: 'notify any',
    masterRxLowerPriority: 'notify master_rx_lower_pri'
  } satisfies Record<keyof Notify, string>)
}

function textOf({ kind, check, weight, reverse }: Track): string {
  const subject = kind === 'service' ? 'the service check' : `${kind} ${check}`
  return `${subject}, weight ${weight}${reverse ? ' reverse' : ''}`
}

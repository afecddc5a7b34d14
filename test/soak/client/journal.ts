import type { MannerKind } from '../draw.js'
import type { FaultKind, Framing, Method } from '../plan.js'
import type { Expectation } from './expectation.js'
import { OUTCOMES, type Outcome } from './outcome.js'

/** One request in the clients' journal. */
export interface JournalEntry {
  readonly id: number
  readonly method: Method
  readonly framing: Framing
  readonly outcome: Outcome
  readonly status: number
  /** Bytes of the response's body. */
  readonly received: number
  /** Wall clock, milliseconds. */
  readonly startedAt: number
  readonly elapsedMs: number
  readonly manner: MannerKind
  readonly fault: FaultKind | null
  readonly detail: string
}

/** The line of a request that has ended. */
export function journalLine(expectation: Expectation, manner: MannerKind): string {
  const { plan, outcome, status, received, startedAt, elapsedMs, detail } = expectation
  const { id, method, framing, fault } = plan
  const words = [id, method, framing, outcome ?? 'wrong', status, received, startedAt]
  return [...words, elapsedMs.toFixed(1), manner, fault?.kind ?? '', detail].join('\t')
}

/** Reads such a line; null for one that says something else. */
export function readJournalLine(line: string): JournalEntry | null {
  const words = line.split('\t')
  const [id = '', method, framing, outcome, status, received, startedAt] = words
  const [elapsedMs, manner, fault = '', detail = ''] = words.slice(7)
  const known = OUTCOMES.find((each) => each === outcome)
  if (!/^\d+$/.test(id) || known === undefined) return null
  return {
    id: Number(id),
    method: method as Method,
    framing: framing as Framing,
    outcome: known,
    status: Number(status),
    received: Number(received),
    startedAt: Number(startedAt),
    elapsedMs: Number(elapsedMs),
    manner: manner as MannerKind,
    fault: fault === '' ? null : (fault as FaultKind),
    detail
  }
}

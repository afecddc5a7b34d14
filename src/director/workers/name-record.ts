/** What a lookup of a host name came to. */
export type Answer =
  /** In any order, one or more. */
  | { readonly addresses: readonly string[] }
  /** Why there are none, such as `getaddrinfo ENOTFOUND web1.example.org`. */
  | { readonly problem: string }

/** What is known of a host name. */
export interface NameRecord {
  /** Of the last good answer, sorted; none before the first one. */
  readonly addresses: readonly string[]
  /** Why the last lookup failed; null if it did not. */
  readonly problem: string | null
  /** Lookups in a row that failed. */
  readonly failures: number
}

export const UNRESOLVED: NameRecord = { addresses: [], problem: null, failures: 0 }

/** Of a name with more addresses only so many are used. */
export const MAX_ADDRESSES = 64
/** A lookup that failed is repeated after this time; after each further failure after twice the time. */
const FIRST_RETRY_MS = 1000
/** Lookups are up to this share earlier, so that those of many names and directors spread. */
const JITTER = 0.1

/** The record after an answer. A name that has vanished keeps its last good addresses. */
export function learn(record: NameRecord, answer: Answer): NameRecord {
  if ('problem' in answer) {
    return { ...record, problem: answer.problem, failures: record.failures + 1 }
  }
  const addresses = [...new Set(answer.addresses)].sort().slice(0, MAX_ADDRESSES)
  const isSame = addresses.join() === record.addresses.join()
  return { addresses: isSame ? record.addresses : addresses, problem: null, failures: 0 }
}

/**
 * How long to wait before the next lookup.
 * @param random from 0 to 1
 */
export function nextLookupMs(record: NameRecord, intervalMs: number, random: number): number {
  const early = 1 - JITTER * random
  if (record.failures === 0) return intervalMs * early
  // 2^20 s is beyond every interval; more would only overflow.
  const doublings = Math.min(record.failures - 1, 20)
  return Math.min(intervalMs, FIRST_RETRY_MS * 2 ** doublings) * early
}

import { OncePerPeriod } from './once-per-period.js'

/**
 * How many connections each client address has to one listen address. Bounded by the connections
 * themselves: an address is forgotten with its last one. Instants are monotonic milliseconds.
 */

/** A client that is refused again and again is told of once in this time. */
const TELL_AGAIN_MS = 60_000
/** Clients whose last line in the log is remembered; of more, the one told longest ago goes. */
const MAX_TOLD = 1024

/** Counts the connections of each client and refuses those beyond `limit`. */
export class ConnectionLimit {
  readonly #limit: number
  readonly #open = new Map<string, number>()
  readonly #told = new Map<string, OncePerPeriod>()

  /** @param limit 1 or more */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Clients that have a connection. */
  get size(): number {
    return this.#open.size
  }

  /** Whether one more connection is within the limit. If so it is counted until `release`. */
  take(client: string): boolean {
    const open = this.#open.get(client) ?? 0
    if (open >= this.#limit) return false
    this.#open.set(client, open + 1)
    return true
  }

  /** A connection that was taken is closed. */
  release(client: string): void {
    const open = this.#open.get(client) ?? 0
    if (open > 1) this.#open.set(client, open - 1)
    else this.#open.delete(client)
  }

  /** The line for the log about a refusal, or null if this client was told of a moment ago. */
  refusalLine(client: string, now: number): string | null {
    const told = this.#told.get(client) ?? new OncePerPeriod(TELL_AGAIN_MS)
    const count = told.happened(now)
    if (count === 0) return null
    this.#told.delete(client)
    if (this.#told.size >= MAX_TOLD) {
      const [oldest] = this.#told.keys()
      if (oldest !== undefined) this.#told.delete(oldest)
    }
    this.#told.set(client, told)
    const since = count === 1 ? '' : `, ${count - 1} more before`
    return `limiting connections: ${client} has ${this.#limit} already${since}`
  }
}

/**
 * What counts as one client: an IPv4 address; of an IPv6 address its first 64 bits, because whoever
 * has one address of such a network has them all.
 * @param address as the system writes it
 */
export function clientOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const behind = tail === '' ? 0 : tail.split(':').length + (tail.includes('.') ? 1 : 0)
    for (let missing = 8 - groups.length - behind; missing > 0; missing--) groups.push('0')
    if (tail !== '') groups.push(...tail.split(':'))
  }
  return `${groups.slice(0, 4).join(':')}::/64`
}

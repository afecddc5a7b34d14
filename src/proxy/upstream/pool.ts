import { UpstreamConnection, type ConnectionUser } from './connection.js'
import type { Peer } from './peer.js'
import type { Target } from './peer-addresses.js'

/**
 * nginx 1.29.7 keeps 32. With 256 clients that made a worker open connections all the time: with 256
 * here it answered 2.4 times the requests (median of three pairs of runs).
 */
const MAX_IDLE_PER_PEER = 256
/** nginx 1.29.7: `keepalive_timeout 60s`, `keepalive_requests 1000`. */
const MAX_IDLE_MS = 60_000
const MAX_REQUESTS = 1000

const READ_BUFFER_SIZE = 64 * 1024

/** All connections of a worker to its peers: the busy ones and the idle ones that wait for reuse. */
export class UpstreamPool {
  readonly #idle: UpstreamConnection[][]
  readonly #all = new Set<UpstreamConnection>()
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_SIZE)
  #isClosed = false

  constructor(peerCount: number) {
    this.#idle = Array.from({ length: peerCount }, () => [])
  }

  /** Connections of any kind. */
  get size(): number {
    return this.#all.size
  }

  /** An idle connection, the most recently used, or null. */
  take(peer: Peer, user: ConnectionUser): UpstreamConnection | null {
    const idle = this.#idle[peer.index]
    let connection: UpstreamConnection | undefined
    while ((connection = idle?.pop()) !== undefined) {
      if (connection.isUsable) {
        connection.user = user
        connection.deadline = Infinity
        return connection
      }
      connection.destroy()
    }
    return null
  }

  /** Begins a new connection to one of the addresses of a peer. */
  open(peer: Peer, target: Target, user: ConnectionUser): UpstreamConnection {
    const connection = new UpstreamConnection(peer, target, user, this.#readBuffer, (closed) => {
      this.#all.delete(closed)
    })
    this.#all.add(connection)
    return connection
  }

  /** Takes back a connection whose last response is complete. */
  release(connection: UpstreamConnection, now: number): void {
    const idle = this.#idle[connection.peer.index]
    if (
      idle === undefined ||
      this.#isClosed ||
      idle.length >= MAX_IDLE_PER_PEER ||
      connection.requests >= MAX_REQUESTS ||
      connection.isOutdated ||
      !connection.isUsable
    ) {
      connection.destroy()
      return
    }
    connection.user = new IdleUser(connection, idle)
    connection.deadline = now + MAX_IDLE_MS
    idle.push(connection)
  }

  /** Closes the idle connection that was used longest ago. Returns whether there was one. */
  closeOldestIdle(): boolean {
    let oldest: UpstreamConnection | undefined
    for (const idle of this.#idle) {
      const [first] = idle
      if (first !== undefined && first.deadline < (oldest?.deadline ?? Infinity)) oldest = first
    }
    if (oldest === undefined) return false
    discard(oldest, this.#idle[oldest.peer.index] ?? [])
    this.#all.delete(oldest)
    return true
  }

  /** The addresses of a peer have changed: connections to those that are gone are not used again. */
  retire(peer: Peer): void {
    for (const connection of this.#all) {
      if (connection.peer !== peer || peer.addresses.has(connection.target)) continue
      connection.isOutdated = true
      if (connection.user instanceof IdleUser) discard(connection, this.#idle[peer.index] ?? [])
    }
  }

  /** Tells every user whose deadline has passed. */
  sweep(now: number): void {
    for (const connection of this.#all) {
      if (connection.deadline <= now) connection.user?.onDeadline(now)
    }
  }

  /** Closes the idle connections, and the busy ones as soon as they are released. */
  closeIdle(): void {
    this.#isClosed = true
    for (const idle of this.#idle) {
      for (const connection of idle.splice(0)) connection.destroy()
    }
  }

  /** Closes everything at once. */
  destroy(): void {
    this.closeIdle()
    for (const connection of this.#all) connection.destroy()
  }
}

/** Whatever happens on an idle connection ends it: there is no request that it could belong to. */
class IdleUser implements ConnectionUser {
  readonly #connection: UpstreamConnection
  readonly #idle: UpstreamConnection[]

  constructor(connection: UpstreamConnection, idle: UpstreamConnection[]) {
    this.#connection = connection
    this.#idle = idle
  }

  onConnected(): void {
    this.#discard()
  }
  onData(): void {
    this.#discard()
  }
  onEnd(): void {
    this.#discard()
  }
  onFailed(): void {
    this.#discard()
  }
  onDeadline(): void {
    this.#discard()
  }
  onDrain(): void {
    // The last bytes of the request before have left; nothing waits for that.
  }

  #discard(): void {
    discard(this.#connection, this.#idle)
  }
}

function discard(connection: UpstreamConnection, idle: UpstreamConnection[]): void {
  const index = idle.indexOf(connection)
  if (index >= 0) idle.splice(index, 1)
  connection.destroy()
}

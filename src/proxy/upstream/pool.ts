import { parseKeepAlive, safeIdleMs } from '../http1/keep-alive.js'
import type { Upstream, UpstreamKeepalive } from '../model.js'
import { UpstreamConnection, type ConnectionUser } from './connection.js'
import type { Peer } from './peer.js'
import type { Target } from './peer-addresses.js'

/** The idle connections to one peer, and how they are kept. */
interface PeerIdle {
  readonly keepalive: UpstreamKeepalive
  /** The most recently used last. */
  readonly connections: UpstreamConnection[]
}

/** All connections of a worker to its peers: the busy ones and the idle ones that wait for reuse. */
export class UpstreamPool {
  /** By the index of the peer. */
  readonly #idle: readonly PeerIdle[]
  readonly #all = new Set<UpstreamConnection>()
  #isClosed = false

  constructor(upstreams: readonly Upstream[]) {
    this.#idle = upstreams.flatMap(({ servers, keepalive }) =>
      servers.map(() => ({ keepalive, connections: [] }))
    )
  }

  /** Connections of any kind. */
  get size(): number {
    return this.#all.size
  }

  /** An idle connection, the most recently used, or null. */
  take(peer: Peer, user: ConnectionUser, now: number): UpstreamConnection | null {
    const idle = this.#idle[peer.index]?.connections
    let connection: UpstreamConnection | undefined
    while ((connection = idle?.pop()) !== undefined) {
      // The sweep may not have come by yet.
      if (connection.isUsable && connection.deadline > now) {
        connection.user = user
        connection.deadline = Infinity
        return connection
      }
      connection.destroy()
    }
    return null
  }

  /** Begins a new connection to one of the addresses of a peer. */
  open(peer: Peer, target: Target, user: ConnectionUser, now: number): UpstreamConnection {
    const connection = new UpstreamConnection(peer, target, user, now, (closed) => {
      this.#all.delete(closed)
    })
    this.#all.add(connection)
    return connection
  }

  /**
   * Takes back a connection whose last response is complete.
   * @param field value of that response's Keep-Alive field
   */
  release(connection: UpstreamConnection, field: string | null, now: number): void {
    const idle = this.#idle[connection.peer.index]
    if (idle === undefined || this.#isClosed || !connection.isUsable) {
      connection.destroy()
      return
    }
    if (field !== null && field !== connection.keepAliveField) learn(connection, field)
    const { keepalive, connections } = idle
    const idleMs = Math.min(keepalive.timeoutMs, connection.maxIdleMs)
    if (
      connections.length >= keepalive.connections ||
      connection.requests >= Math.min(keepalive.requests, connection.maxRequests) ||
      now - connection.openedAt >= keepalive.lifetimeMs ||
      idleMs <= 0 ||
      connection.isOutdated ||
      !connection.peer.keepsConnections
    ) {
      connection.destroy()
      return
    }
    connection.user = connection.idleUser ??= new IdleUser(connection, connections)
    connection.deadline = now + idleMs
    connections.push(connection)
  }

  /** Closes the idle connection that was used longest ago. Returns whether there was one. */
  closeOldestIdle(): boolean {
    let oldest: UpstreamConnection | undefined
    let among: UpstreamConnection[] = []
    for (const { connections } of this.#idle) {
      const [first] = connections
      if (first === undefined || first.deadline >= (oldest?.deadline ?? Infinity)) continue
      oldest = first
      among = connections
    }
    if (oldest === undefined) return false
    discard(oldest, among)
    return true
  }

  /** The addresses of a peer have changed: connections to those that are gone are not used again. */
  retire(peer: Peer): void {
    for (const connection of this.#all) {
      if (connection.peer !== peer || peer.addresses.has(connection.target)) continue
      connection.isOutdated = true
      if (connection.user instanceof IdleUser) {
        discard(connection, this.#idle[peer.index]?.connections ?? [])
      }
    }
  }

  /** Closes the idle connections to a peer. */
  closeIdle(peer: Peer): void {
    const connections = this.#idle[peer.index]?.connections ?? []
    for (const connection of connections.splice(0)) connection.destroy()
  }

  /** Tells every user whose deadline has passed. */
  sweep(now: number): void {
    for (const connection of this.#all) {
      if (connection.deadline <= now) connection.user?.onDeadline(now)
    }
  }

  /** Closes everything at once. */
  destroy(): void {
    this.#isClosed = true
    for (const { connections } of this.#idle) connections.length = 0
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

/**
 * Notes what a server says about its own limits, so that we give a connection up before it does. The
 * number of requests counts down in some servers and stands still in others: the earliest end holds.
 */
function learn(connection: UpstreamConnection, field: string): void {
  connection.keepAliveField = field
  const { timeoutMs, max } = parseKeepAlive(field)
  if (timeoutMs !== null) connection.maxIdleMs = safeIdleMs(timeoutMs)
  if (max !== null) {
    connection.maxRequests = Math.min(connection.maxRequests, connection.requests + max)
  }
}

function discard(connection: UpstreamConnection, idle: UpstreamConnection[]): void {
  const index = idle.indexOf(connection)
  if (index >= 0) idle.splice(index, 1)
  connection.destroy()
}

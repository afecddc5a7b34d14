import { formatEndpoint, isHostName } from '../endpoint.js'
import type { UpstreamServer } from '../model.js'

/** One place that a connection to a peer may go to. */
export interface Target {
  /** IPv4 or IPv6 address, without brackets. */
  readonly host: string
  readonly port: number
  /** `host:port`, an IPv6 host in brackets. */
  readonly address: string
  /** It is passed over until this instant, because it took no connection. */
  avoidedUntil: number
}

/**
 * The addresses of one peer: the one of the configuration for ever, or those that the director last
 * found for its host name, none before the first answer. New connections take them in turn.
 */
export class PeerAddresses {
  readonly #port: number
  #targets: readonly Target[]
  #turn = 0

  constructor({ host, port }: UpstreamServer) {
    this.#port = port
    this.#targets = isHostName(host) ? [] : [target(host, port)]
  }

  /** Whether there is one at all. */
  get isKnown(): boolean {
    return this.#targets.length > 0
  }

  /**
   * The address for a new connection: the next in turn that is not avoided, else the next in turn.
   * @throws {RangeError} if none is known
   */
  next(now: number): Target {
    const targets = this.#targets
    const count = targets.length
    for (let i = 0; i < count; i++) {
      const candidate = targets[(this.#turn + i) % count]
      if (candidate === undefined || candidate.avoidedUntil > now) continue
      this.#turn = (this.#turn + i + 1) % count
      return candidate
    }
    const last = targets[this.#turn]
    if (last === undefined) throw new RangeError('a peer without an address cannot be connected to')
    this.#turn = (this.#turn + 1) % count
    return last
  }

  /**
   * Passes an address over that took no connection. Returns whether another is left that is not passed
   * over: then the peer is not to blame yet.
   */
  avoid(failed: Target, until: number, now: number): boolean {
    failed.avoidedUntil = until
    return this.#targets.some(({ avoidedUntil }) => avoidedUntil <= now)
  }

  /** Takes over what the name was resolved to; what is known of an address that stays is kept. */
  replace(hosts: readonly string[]): void {
    const known = new Map(this.#targets.map((each) => [each.host, each]))
    this.#targets = hosts.map((host) => known.get(host) ?? target(host, this.#port))
    this.#turn = 0
  }

  /** Whether connections to this address may still be used. */
  has(used: Target): boolean {
    return this.#targets.includes(used)
  }
}

function target(host: string, port: number): Target {
  return { host, port, address: formatEndpoint({ host, port }), avoidedUntil: -Infinity }
}

import type { Status } from '../admin/model.js'

/** What went through one listener or peer, each second. */
export interface Rates {
  readonly perSecond: number
  /** By the first digit of the status, `2xx`; and `none` for what ended without one. */
  readonly classes: Readonly<Record<string, number>>
  readonly receivedBytes: number
  readonly sentBytes: number
}

export interface TrafficRates {
  /** Over how long, in seconds; 0 before the second status. */
  readonly seconds: number
  /** By the place where it listens. */
  readonly listeners: ReadonlyMap<string, Rates>
  /** By `upstream/peer`. */
  readonly peers: ReadonlyMap<string, Rates>
}

interface Counters {
  readonly results: Readonly<Record<string, number>>
  readonly received: number
  readonly sent: number
}

/** What went on between two statuses of one director. */
export function ratesBetween(before: Status, after: Status): TrafficRates {
  const seconds = Math.max(0, (Date.parse(after.now) - Date.parse(before.now)) / 1000)
  const isOne = before.started_at === after.started_at && seconds > 0
  const compare = (old: ReadonlyMap<string, Counters>, now: ReadonlyMap<string, Counters>) =>
    new Map([...now].map(([name, counters]) => [name, rate(old.get(name), counters, seconds)]))
  if (!isOne) return { seconds: 0, listeners: new Map(), peers: new Map() }
  return {
    seconds,
    listeners: compare(listenersOf(before), listenersOf(after)),
    peers: compare(peersOf(before), peersOf(after))
  }
}

function rate(before: Counters | undefined, after: Counters, seconds: number): Rates {
  // A peer that a reload has brought began with nothing; counters never go back.
  const each = (now: number, then = 0): number => Math.max(0, now - then) / seconds
  const classes: Record<string, number> = {}
  let perSecond = 0
  for (const [result, number] of Object.entries(after.results)) {
    const value = each(number, before?.results[result])
    const name = classOf(result)
    classes[name] = (classes[name] ?? 0) + value
    perSecond += value
  }
  return {
    perSecond,
    classes,
    receivedBytes: each(after.received, before?.received),
    sentBytes: each(after.sent, before?.sent)
  }
}

/** `200` is `2xx`; `000`, `connect`, `timeout` … brought no response. */
function classOf(result: string): string {
  return /^[1-5]\d\d$/.test(result) ? `${result.charAt(0)}xx` : 'none'
}

function listenersOf({ proxy }: Status): ReadonlyMap<string, Counters> {
  return new Map(
    (proxy?.listeners ?? []).map(({ listen, traffic }) => [
      listen,
      { results: traffic.requests, received: traffic.bytes_received, sent: traffic.bytes_sent }
    ])
  )
}

function peersOf({ proxy }: Status): ReadonlyMap<string, Counters> {
  return new Map(
    (proxy?.upstreams ?? []).flatMap(({ name, peers }) =>
      peers.map((peer) => [
        `${name}/${peer.name}`,
        {
          results: peer.traffic.attempts,
          received: peer.traffic.bytes_received,
          sent: peer.traffic.bytes_sent
        }
      ])
    )
  )
}

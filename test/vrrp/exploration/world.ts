import type { Milliseconds } from '../../../src/vrrp/timing.js'
import { holds, isInElection, serves, type Host } from '../simulation/host.js'
import { isSettled, type Violation } from '../simulation/oracle.js'

/** An advertisement on its way, or in the socket of a director that is stopped. */
export interface Message {
  readonly from: number
  readonly to: number
  readonly priority: number
  readonly interval: Milliseconds
  readonly source: string
  readonly dueAt: Milliseconds
  /** It comes late or twice: what follows from it is the network's fault. */
  readonly isOdd: boolean
}

/** A director in the explored world, and what is planned for it. */
export interface Node {
  readonly host: Host
  /** When it is continued, started again, or gets its link or its service back. */
  readonly wakeAt: Milliseconds | null
  /** When a packet last made it advertise as master. */
  readonly answeredAt: Milliseconds | null
}

export const FAULTS = [
  'loss',
  'delay',
  'duplicate',
  'kill',
  'power loss',
  'pause',
  'service',
  'stop',
  'link',
  'cut',
  'one-way cut'
] as const
export type Fault = (typeof FAULTS)[number]

/** Since when something goes on; null while it does not. */
export interface Spans {
  /** More than one director has the address, and the network is whole. */
  readonly double: Milliseconds | null
  /** Nobody serves on the address although a director could. */
  readonly unserved: Milliseconds | null
  /** Not at rest, counted from the last fault or its end. */
  readonly unsettled: Milliseconds | null
  /** The loser of a double mastership gave up; the survivor has not announced since. */
  readonly owed: Milliseconds | null
}
export type Span = keyof Spans
export const SPANS: readonly Span[] = ['double', 'unserved', 'unsettled', 'owed']

/** Everything there is. Immutable; times are absolute, and made relative to `now` by `keyOf`. */
export interface World {
  readonly now: Milliseconds
  readonly nodes: readonly Node[]
  readonly messages: readonly Message[]
  /** Whose announcement a client has heard last. */
  readonly client: number | null
  /** Faults that may still happen, by kind, and of all kinds. */
  readonly budget: Readonly<Partial<Record<Fault, number>>>
  readonly faultsLeft: number
  /** Directions in which nothing is heard (`direction`), and when that ends. */
  readonly cut: readonly number[]
  readonly healAt: Milliseconds | null
  readonly spans: Spans
  /** When the last fault happened or ended. */
  readonly disturbedAt: Milliseconds
  readonly violation: Violation | null
}

export function hostsOf(world: World): readonly Host[] {
  return world.nodes.map(({ host }) => host)
}

/** The world with a node changed. */
export function withNode(world: World, index: number, change: Partial<Node>): World {
  const nodes = world.nodes.map((node, i) => (i === index ? { ...node, ...change } : node))
  return { ...world, nodes }
}

/** A fault has just happened or ended: the time to settle begins anew. */
export function disturbed(world: World): World {
  return { ...world, disturbedAt: world.now }
}

/** Brings the spans up to date after something has happened. */
export function observed(before: World, world: World): World {
  const hosts = hostsOf(world)
  const { now, spans } = world
  const isWhole = world.cut.length === 0
  const holders = hosts.filter(holds)
  const isDouble = holders.length > 1
  const isServed = hosts.some(serves)
  const couldServe = hosts.some((host) => isInElection(host) && host.state.serviceUp)
  const settled = isWhole && isSettled(hosts, world.client)
  const survivor = holders[0]
  let { owed } = spans
  // What a director adds and removes in the same moment is no double mastership.
  const wasDouble = before.spans.double !== null && before.spans.double < now
  if (wasDouble && !isDouble && isWhole && survivor?.process === 'running') owed = now
  if (isDouble || holders.length === 0 || survivor?.process !== 'running') owed = null
  return {
    ...world,
    spans: {
      double: isDouble && isWhole ? (spans.double ?? now) : null,
      unserved: !isServed && couldServe ? (spans.unserved ?? now) : null,
      unsettled: isWhole && !settled ? world.disturbedAt : null,
      owed
    }
  }
}

export function describe(world: World): string {
  return world.nodes
    .map(({ host }, i) => {
      const life = host.process === 'running' ? host.state.name : host.process
      const link = host.isLinkUp ? '' : ', no link'
      const address = host.heldUntil === null ? '' : ', has the address'
      const cached = world.client === i ? ', in the ARP cache' : ''
      return `${nameOf(i)} ${life} (${host.state.priority})${link}${address}${cached}`
    })
    .join('; ')
}

export function nameOf(index: number): string {
  return String.fromCharCode(65 + index)
}

/** One number for the way from one director to another. */
export function direction(from: number, to: number): number {
  return from * 8 + to
}

export function nameOfDirection(way: number): string {
  return `${nameOf(Math.floor(way / 8))}->${nameOf(way % 8)}`
}

const TIME = /(^at|At|^until|Until)$/
const times = new Map<string, boolean>()

/**
 * A text that is equal for worlds that behave alike from now on: times are relative to `now`, and of
 * times that are over only those count that somebody may still look at.
 *
 * @param settleLimit when the last fault was longer ago than this, it does not matter how long
 */
export function keyOf(world: World, settleLimit: Milliseconds): string {
  const { now } = world
  const undisturbed = microseconds(Math.min(now - world.disturbedAt, settleLimit + 1))
  let key = `${world.client ?? '-'}|${world.faultsLeft}|${undisturbed}`
  for (const fault of FAULTS) {
    const left = world.budget[fault]
    if (left !== undefined) key += `,${left}`
  }
  key += `|${world.cut.join(',')}@${relative(world.healAt, now)}`
  for (const span of SPANS) key += `|${relative(world.spans[span], now)}`
  for (const { host, wakeAt, answeredAt } of world.nodes) {
    key += `#${host.process}${host.isLinkUp ? '' : '!'}${host.wants ? '+' : ''}${host.isRenewalPutOff ? '~' : ''}`
    key += `${relative(wakeAt, now)}/${relative(host.heldUntil, now)}/${relative(host.renewAt, now)}`
    if (answeredAt !== null && now - answeredAt < host.router.adverInterval / 2)
      key += `^${microseconds(answeredAt - now)}`
    key += stateKey(host.state, now)
  }
  for (const { from, to, priority, dueAt, isOdd } of world.messages)
    key += `>${from}${to}:${priority}@${Math.max(0, microseconds(dueAt - now))}${isOdd ? '?' : ''}`
  return key
}

function relative(at: Milliseconds | null, now: Milliseconds): string {
  return at === null ? '-' : String(microseconds(at - now))
}

/** Sums of fractions may differ in their last bit. */
function microseconds(time: Milliseconds): number {
  return Math.round(time * 1000)
}

function stateKey(state: object, now: Milliseconds): string {
  let key = '{'
  for (const [name, value] of Object.entries(state) as [string, unknown][]) {
    if (typeof value === 'number')
      key += `${isTime(name) ? clamp(name, microseconds(value - now)) : value},`
    else if (typeof value === 'object' && value !== null) key += stateKey(value, now)
    else key += `${String(value)},`
  }
  return `${key}}`
}

function isTime(name: string): boolean {
  let known = times.get(name)
  if (known === undefined) {
    known = TIME.test(name)
    times.set(name, known)
  }
  return known
}

const PASSING = new Set(['answerAt', 'preemptAt', 'lastWordsUntil'])

/** These are only asked whether they are over, and may be over for a long time. */
function clamp(name: string, left: number): number {
  return PASSING.has(name) ? Math.max(0, left) : left
}

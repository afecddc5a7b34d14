/** @import { ListenerStatus, PeerState, PeerStatus, ProxyStatus, Status, UpstreamStatus, WorkerStatus } from '../model.js' */
/** @import { Content, Shown } from './element.js' */
/** @import { Column, Health } from './parts.js' */
import { el } from './element.js'
import { badge, button, table } from './parts.js'
import { bytes, latency, moment, plain, rate, since, span, whole } from './words.js'

/** @type {Readonly<Record<PeerState, Health>>} */
const PEER_HEALTH = { up: 'good', out: 'bad', down: 'warning', drain: 'warning' }
/** What is said beside the state when the director knows nothing more. @type {Readonly<Record<PeerState, string>>} */
const PEER_WORDS = { up: 'UP', out: 'OUT', down: 'DOWN', drain: 'DRAIN' }
/** @type {readonly (readonly ['up' | 'drain' | 'down', string])[]} */
const WISHES = [
  ['up', 'Up'],
  ['drain', 'Drain'],
  ['down', 'Down']
]

/**
 * @param {ProxyStatus | null} proxy
 * @param {string} now
 * @returns {readonly Shown[]}
 */
export function upstreams(proxy, now) {
  if (proxy === null) return [el('p', { class: 'note' }, 'This director has no proxy.')]
  if (proxy.upstreams.length === 0) return [el('p', { class: 'note' }, 'There are no upstreams.')]
  return proxy.upstreams.map((upstream) => upstreamCard(upstream, now))
}

/**
 * @param {UpstreamStatus} upstream
 * @param {string} now
 */
function upstreamCard({ name, balance, peers }, now) {
  const up = peers.filter(({ state }) => state === 'up').length
  const health = up === peers.length ? 'good' : up > 0 ? 'warning' : 'bad'
  return el(
    'article',
    { class: 'card', key: name },
    el(
      'header',
      {},
      el('h3', {}, plain(name)),
      badge(health, `${up} of ${peers.length} up`),
      el('span', { class: 'note' }, plain(balance))
    ),
    table(`Peers of upstream ${plain(name)}`, peerColumns(name, now), peers, (peer) => peer.name)
  )
}

/**
 * @param {string} upstream
 * @param {string} now
 * @returns {readonly Column<PeerStatus>[]}
 */
function peerColumns(upstream, now) {
  return [
    {
      title: 'Peer',
      cell: ({ name, backup }) => [
        el('span', { class: 'address' }, plain(name)),
        ...(backup ? [el('span', { class: 'note' }, ' backup')] : [])
      ]
    },
    {
      title: 'State',
      cell: ({ state, detail, since: from }) => [
        badge(PEER_HEALTH[state], PEER_WORDS[state]),
        ...(detail === null && from === null
          ? []
          : [
              el(
                'span',
                { class: 'detail' },
                [detail === null ? null : plain(detail), from === null ? null : since(from, now)]
                  .filter((part) => part !== null)
                  .join(', ')
              )
            ])
      ]
    },
    { title: 'Req/s', isNumber: true, cell: ({ traffic }) => rate(traffic.recent.per_second) },
    { title: 'In flight', isNumber: true, cell: ({ traffic }) => whole(traffic.in_flight) },
    { title: 'p50', isNumber: true, cell: ({ traffic }) => latency(traffic.recent.p50_ms) },
    { title: 'p99', isNumber: true, cell: ({ traffic }) => latency(traffic.recent.p99_ms) },
    { title: 'Errors', isNumber: true, cell: ({ traffic }) => failures(traffic.attempts) },
    {
      title: 'Fails',
      isNumber: true,
      cell: ({ fails, max_fails }) => (max_fails === 0 ? `${fails}` : `${fails} of ${max_fails}`)
    },
    {
      title: 'Weight',
      isNumber: true,
      cell: ({ weight, configured_weight }) =>
        weight === configured_weight ? String(weight) : `${weight} (of ${configured_weight})`
    },
    {
      title: 'Order',
      cell: ({ name, state }) =>
        el(
          'span',
          { class: 'wishes', role: 'group', 'aria-label': `Order for ${plain(name)}` },
          ...WISHES.map(([wish, label]) =>
            button(
              label,
              { action: 'peer', upstream, peer: name, wish },
              { name: `${label}: ${name} of ${upstream}`, isPressed: wishOf(state) === wish }
            )
          )
        )
    }
  ]
}

/** @param {PeerState} state */
function wishOf(state) {
  return state === 'out' ? 'up' : state
}

/**
 * Attempts that brought no good response since the start: `12 (connect 10, 502 2)`.
 *
 * @param {Readonly<Record<string, number>>} attempts
 */
export function failures(attempts) {
  const bad = Object.entries(attempts).filter(
    ([result, number]) => number > 0 && !/^[1-4]\d\d$/.test(result)
  )
  const total = bad.reduce((sum, [, number]) => sum + number, 0)
  if (total === 0) return '0'
  const kinds = bad.sort(([, a], [, b]) => b - a).map(([result, n]) => `${result} ${whole(n)}`)
  return plain(`${whole(total)} (${kinds.join(', ')})`)
}

/**
 * @param {ProxyStatus} proxy
 * @returns {Shown}
 */
export function listeners({ listeners }) {
  return table('Listeners', LISTENER_COLUMNS, listeners, ({ listen }) => listen)
}

/** @type {readonly Column<ListenerStatus>[]} */
const LISTENER_COLUMNS = [
  { title: 'Listen', cell: ({ listen }) => el('span', { class: 'address' }, plain(listen)) },
  {
    title: 'Servers',
    cell: ({ servers }) => plain(servers.filter((name) => name !== '').join(' ') || 'any name')
  },
  { title: 'Clients', isNumber: true, cell: ({ traffic }) => whole(traffic.connections_active) },
  { title: 'Req/s', isNumber: true, cell: ({ traffic }) => rate(traffic.recent.per_second) },
  { title: 'p50', isNumber: true, cell: ({ traffic }) => latency(traffic.recent.p50_ms) },
  { title: 'p99', isNumber: true, cell: ({ traffic }) => latency(traffic.recent.p99_ms) },
  { title: 'Received', isNumber: true, cell: ({ traffic }) => bytes(traffic.bytes_received) },
  { title: 'Sent', isNumber: true, cell: ({ traffic }) => bytes(traffic.bytes_sent) }
]

/**
 * @param {ProxyStatus} proxy
 * @param {string} now
 * @returns {Shown}
 */
export function workers({ workers }, now) {
  /** @type {readonly Column<WorkerStatus>[]} */
  const columns = [
    { title: 'Worker', cell: ({ pid }) => String(pid) },
    {
      title: 'State',
      cell: ({ state }) => badge(state === 'listening' ? 'good' : 'warning', state)
    },
    { title: 'Started', cell: ({ started_at }) => moment(started_at, now) },
    { title: 'Clients', isNumber: true, cell: ({ connections }) => whole(connections) }
  ]
  return table('Workers', columns, workers, ({ pid }) => String(pid))
}

/**
 * @param {Pick<Status, 'proxy'>} status
 * @returns {Content}
 */
export function proxyState({ proxy }) {
  if (proxy === null) return badge('calm', 'no proxy')
  return badge(proxy.state === 'running' ? 'good' : 'warning', `proxy ${proxy.state}`)
}

/**
 * @param {Pick<Status, 'version' | 'pid' | 'uptime_s'>} status
 * @param {number} elapsedMs
 */
export function identity({ version, pid, uptime_s }, elapsedMs) {
  return `tsha ${plain(version)}, process ${pid}, up ${span(uptime_s + elapsedMs / 1000)}`
}

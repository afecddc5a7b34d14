import type {
  CheckStatus,
  ListenerStatus,
  PeerState,
  PeerStatus,
  ProxyStatus,
  Status,
  UpstreamStatus,
  VirtualRouterStatus,
  WorkerStatus
} from '../admin/model.js'
import type { Style, View } from './style.js'
import { formatTable, type Column } from './table.js'
import { count, formatLatency, formatMoment, formatRate, spanBetween } from './words.js'

/** Everything of a director as tables, one below the other; each one begins with its heading. */
export function formatStatusTables(status: Status, view: View): readonly (readonly string[])[] {
  const { now, proxy } = status
  return [
    titled(
      'Virtual routers',
      formatTable(routerColumns(now, view.style), status.virtual_routers, view),
      view
    ),
    titled('Sync groups', formatTable(GROUP_COLUMNS, status.sync_groups, view), view),
    titled('Checks', formatTable(checkColumns(now, view.style), status.checks, view), view),
    ...(proxy === null ? [] : proxyTables(proxy, now, view))
  ]
}

function proxyTables(proxy: ProxyStatus, now: string, view: View): readonly (readonly string[])[] {
  const state =
    proxy.state === 'running' ? [] : [view.style.warning(`The proxy is ${proxy.state}.`)]
  return [
    state,
    ...proxy.upstreams.map((upstream) =>
      titled(
        upstreamTitle(upstream),
        formatTable(peerColumns(now, view.style), upstream.peers, view),
        view
      )
    ),
    titled('Listeners', formatTable(LISTENER_COLUMNS, proxy.listeners, view), view),
    titled('Workers', formatTable(workerColumns(now), proxy.workers, view), view)
  ]
}

function titled(title: string, lines: readonly string[], { style }: View): readonly string[] {
  return lines.length === 0 ? [] : [style.bold(title), ...lines]
}

function upstreamTitle({ name, balance, peers }: UpstreamStatus): string {
  const up = peers.filter(({ state }) => state === 'up').length
  return `Upstream ${name} (${balance}, ${up} of ${count(peers.length, 'peer')} up)`
}

function routerColumns(now: string, style: Style): readonly Column<VirtualRouterStatus>[] {
  return [
    { title: 'NAME', cell: ({ name }) => name, least: 8 },
    {
      title: 'STATE',
      cell: ({ state, is_handing_over }) => (is_handing_over ? 'HAND-OVER' : state.toUpperCase()),
      paint: ({ state }, cell) =>
        state === 'master' ? style.good(cell) : state === 'backup' ? cell : style.bad(cell)
    },
    { title: 'SINCE', cell: ({ since }) => formatMoment(since, now), spare: 3 },
    { title: 'PRIORITY', cell: priorityCell },
    {
      title: 'MASTER',
      cell: ({ state, master }) =>
        state === 'master' ? 'this one' : (master?.address ?? 'nobody heard'),
      least: 12
    },
    { title: 'INTERFACE', cell: (router) => router.interface, spare: 2 },
    { title: 'VRID', cell: ({ vrid }) => String(vrid), align: 'right', spare: 1 },
    {
      title: 'WAITS FOR',
      cell: ({ timers: { next } }) =>
        next === null ? '' : `${next.what} in ${(Math.max(0, next.in_ms) / 1000).toFixed(1)} s`,
      spare: 4
    },
    { title: 'ADDRESSES', cell: ({ addresses }) => addresses.join(' '), spare: 5, least: 15 }
  ]
}

/** The effective priority, and the configured one where it is another. */
function priorityCell(router: VirtualRouterStatus): string {
  const { effective_priority, configured_priority, priority_override, stepped_down } = router
  const notes = [
    ...(effective_priority === configured_priority ? [] : [`of ${configured_priority}`]),
    ...(priority_override === null ? [] : ['by hand']),
    ...(stepped_down ? ['stepped down'] : [])
  ]
  return notes.length === 0
    ? String(effective_priority)
    : `${effective_priority} (${notes.join(', ')})`
}

const GROUP_COLUMNS: readonly Column<Status['sync_groups'][number]>[] = [
  { title: 'NAME', cell: ({ name }) => name, least: 8 },
  { title: 'STATE', cell: ({ state }) => state.toUpperCase() },
  { title: 'MEMBERS', cell: ({ members }) => members.join(' '), least: 12 }
]

function checkColumns(now: string, style: Style): readonly Column<CheckStatus>[] {
  return [
    { title: 'KIND', cell: ({ kind }) => kind },
    { title: 'NAME', cell: ({ name }) => name, least: 8 },
    {
      title: 'RESULT',
      cell: ({ passes }) => (passes === null ? 'waiting' : passes ? 'passes' : 'FAILS'),
      paint: ({ passes }, cell) =>
        passes === null ? style.warning(cell) : passes ? style.good(cell) : style.bad(cell)
    },
    { title: 'SINCE', cell: ({ since }) => (since === null ? '-' : formatMoment(since, now)) },
    { title: 'DETAIL', cell: ({ detail }) => detail ?? '', least: 16 }
  ]
}

/** `out` is what the director found; the others are what an administrator wanted. */
export function paintPeer(state: PeerState, cell: string, style: Style): string {
  if (state === 'up') return style.good(cell)
  return state === 'out' ? style.bad(cell) : style.warning(cell)
}

function peerColumns(now: string, style: Style): readonly Column<PeerStatus>[] {
  return [
    { title: 'PEER', cell: ({ name }) => name, least: 16 },
    {
      title: 'STATE',
      cell: ({ state }) => (state === 'out' ? 'OUT' : state),
      paint: ({ state }, cell) => paintPeer(state, cell, style)
    },
    { title: 'IN FLIGHT', cell: ({ traffic }) => String(traffic.in_flight), align: 'right' },
    { title: 'FAILS', cell: ({ fails, max_fails }) => `${fails}/${max_fails}`, align: 'right' },
    {
      title: 'REQ/S',
      cell: ({ traffic: { recent } }) => formatRate(recent.per_second),
      align: 'right'
    },
    {
      title: 'P50',
      cell: ({ traffic: { recent } }) => formatLatency(recent.p50_ms),
      align: 'right'
    },
    {
      title: 'P99',
      cell: ({ traffic: { recent } }) => formatLatency(recent.p99_ms),
      align: 'right'
    },
    { title: 'WEIGHT', cell: weightCell, align: 'right', spare: 2 },
    {
      title: 'SINCE',
      cell: ({ since, state }) =>
        since === null ? (state === 'up' ? '' : '-') : formatMoment(since, now),
      spare: 1
    },
    {
      title: 'DETAIL',
      cell: ({ detail, backup }) =>
        [backup ? 'backup server' : '', detail ?? ''].filter((part) => part !== '').join(', '),
      least: 14,
      spare: 3
    }
  ]
}

function weightCell({ weight, configured_weight }: PeerStatus): string {
  return weight === configured_weight ? String(weight) : `${weight} of ${configured_weight}`
}

const LISTENER_COLUMNS: readonly Column<ListenerStatus>[] = [
  { title: 'LISTEN', cell: ({ listen }) => listen },
  {
    title: 'CLIENTS',
    cell: ({ traffic }) => String(traffic.connections_active),
    align: 'right'
  },
  {
    title: 'REQ/S',
    cell: ({ traffic: { recent } }) => formatRate(recent.per_second),
    align: 'right'
  },
  { title: 'P50', cell: ({ traffic: { recent } }) => formatLatency(recent.p50_ms), align: 'right' },
  { title: 'P99', cell: ({ traffic: { recent } }) => formatLatency(recent.p99_ms), align: 'right' },
  { title: 'REQUESTS', cell: ({ traffic }) => String(sum(traffic.requests)), align: 'right' },
  { title: 'SERVERS', cell: ({ servers }) => servers.join(' '), spare: 1, least: 10 }
]

function workerColumns(now: string): readonly Column<WorkerStatus>[] {
  return [
    { title: 'PID', cell: ({ pid }) => String(pid), align: 'right' },
    { title: 'STATE', cell: ({ state }) => state },
    { title: 'CLIENTS', cell: ({ connections }) => String(connections), align: 'right' },
    { title: 'UP', cell: ({ started_at }) => spanBetween(started_at, now), align: 'right' }
  ]
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, value) => total + value, 0)
}

import type { ListenerStatus, PeerStatus, Status } from '../admin/model.js'
import { paintPeer } from './status-tables.js'
import { formatTitle } from './status-view.js'
import type { View } from './style.js'
import { formatTable, type Column } from './table.js'
import type { Rates, TrafficRates } from './traffic-rates.js'
import { formatBytes, formatLatency, formatMoment, formatRate } from './words.js'

const NOTHING: Rates = { perSecond: 0, classes: {}, receivedBytes: 0, sentBytes: 0 }

/** Requests each second, statuses and latencies of every listener and every peer. */
export function formatTop(status: Status, rates: TrafficRates, view: View): readonly string[] {
  const { style } = view
  const { proxy, now } = status
  const over =
    rates.seconds === 0
      ? 'measuring'
      : `requests of the last ${rates.seconds.toFixed(0)} s, latencies of the last minute`
  const head = [formatTitle(status, view), style.dim(`${formatMoment(now, now)}  ${over}`), '']
  if (proxy === null) return [...head, 'This director has no proxy.']
  const peers = proxy.upstreams.flatMap((upstream) =>
    upstream.peers.map((peer) => ({ upstream: upstream.name, peer }))
  )
  const rateOf = ({ upstream, peer }: UpstreamPeer): Rates =>
    rates.peers.get(`${upstream}/${peer.name}`) ?? NOTHING
  const listenerColumns = trafficColumns(
    [{ title: 'LISTEN', cell: (row: ListenerStatus) => row.listen, least: 16 }],
    ({ traffic }) => traffic.connections_active,
    'CLIENTS',
    ({ listen }) => rates.listeners.get(listen) ?? NOTHING,
    ({ traffic }) => traffic.recent,
    view
  )
  const peerColumns = trafficColumns<UpstreamPeer>(
    [
      { title: 'PEER', cell: ({ peer }) => peer.name, least: 16 },
      {
        title: 'STATE',
        cell: ({ peer }) => (peer.state === 'out' ? 'OUT' : peer.state),
        paint: ({ peer }, cell) => paintPeer(peer.state, cell, style)
      },
      { title: 'UPSTREAM', cell: ({ upstream }) => upstream, spare: 3, least: 8 }
    ],
    ({ peer }) => peer.traffic.in_flight,
    'FLIGHT',
    rateOf,
    ({ peer }) => peer.traffic.recent,
    view
  )
  return [
    ...head,
    ...formatTable(listenerColumns, proxy.listeners, view),
    ...(peers.length > 0 ? ['', ...formatTable(peerColumns, peers, view)] : [])
  ]
}

interface UpstreamPeer {
  readonly upstream: string
  readonly peer: PeerStatus
}

function trafficColumns<Row>(
  names: readonly Column<Row>[],
  open: (row: Row) => number,
  openTitle: string,
  ratesOf: (row: Row) => Rates,
  recentOf: (row: Row) => { readonly p50_ms: number | null; readonly p99_ms: number | null },
  { style }: View
): readonly Column<Row>[] {
  const classColumn = (
    name: string,
    title: string,
    paint?: (text: string) => string
  ): Column<Row> => ({
    title,
    cell: (row) => formatRate(ratesOf(row).classes[name] ?? 0),
    ...(paint
      ? {
          paint: (row: Row, cell: string) =>
            (ratesOf(row).classes[name] ?? 0) > 0 ? paint(cell) : cell
        }
      : {}),
    align: 'right'
  })
  return [
    ...names,
    { title: openTitle, cell: (row) => String(open(row)), align: 'right' },
    {
      title: 'REQ/S',
      cell: (row) => formatRate(ratesOf(row).perSecond),
      paint: (_, cell) => style.bold(cell),
      align: 'right'
    },
    { ...classColumn('1xx', '1XX'), spare: 6 },
    classColumn('2xx', '2XX'),
    { ...classColumn('3xx', '3XX'), spare: 2 },
    classColumn('4xx', '4XX', style.warning),
    classColumn('5xx', '5XX', style.bad),
    { ...classColumn('none', 'NONE', style.bad), spare: 1 },
    { title: 'P50', cell: (row) => formatLatency(recentOf(row).p50_ms), align: 'right' },
    { title: 'P99', cell: (row) => formatLatency(recentOf(row).p99_ms), align: 'right' },
    {
      title: 'IN/S',
      cell: (row) => formatBytes(ratesOf(row).receivedBytes),
      align: 'right',
      spare: 5
    },
    {
      title: 'OUT/S',
      cell: (row) => formatBytes(ratesOf(row).sentBytes),
      align: 'right',
      spare: 4
    }
  ]
}

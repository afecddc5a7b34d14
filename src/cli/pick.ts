import type { PeerStatus, Status, VirtualRouterStatus } from '../admin/model.js'
import { Refusal } from './refusal.js'

/** A peer with the upstream that it belongs to. */
export interface PickedPeer {
  readonly upstream: string
  readonly peer: PeerStatus
}

/**
 * Finds peers by what an administrator types: the whole name `192.168.64.143:80`, the host, or the
 * beginning of either, alone or behind the upstream as in `nginx/web1`. An exact name wins over a host,
 * and a host over a beginning.
 *
 * @param isPlural whether all that are meant are wanted, in whichever upstream
 * @throws {Refusal} `TSHA_E_UNKNOWN_NAME` when none is meant, or several where one is wanted
 */
export function pickPeers(
  typed: string,
  status: Status,
  isPlural: boolean
): readonly [PickedPeer, ...PickedPeer[]] {
  const all = (status.proxy?.upstreams ?? []).flatMap(({ name, peers }) =>
    peers.map((peer) => ({ upstream: name, peer }))
  )
  const [first, ...others] = best(typed, all)
  if (first === undefined) {
    throw new Refusal(
      'TSHA_E_UNKNOWN_NAME',
      all.length === 0
        ? `there is no peer ${typed}: this director has no upstreams`
        : `there is no peer ${typed}; there are:`,
      all.map(fullName)
    )
  }
  if (others.length > 0 && !isPlural) {
    throw new Refusal(
      'TSHA_E_UNKNOWN_NAME',
      `${typed} can be several peers; name one of them, or all with --all:`,
      [first, ...others].map(fullName)
    )
  }
  return [first, ...others]
}

/** `upstream/peer`, which no two peers have in common. */
export function fullName({ upstream, peer }: PickedPeer): string {
  return `${upstream}/${peer.name}`
}

function best(typed: string, all: readonly PickedPeer[]): readonly PickedPeer[] {
  const ways: readonly ((name: string, host: string) => boolean)[] = [
    (name) => name === typed,
    (_, host) => host === typed,
    (name) => name.startsWith(typed)
  ]
  for (const fits of ways) {
    const found = all.filter((picked) => {
      const { name } = picked.peer
      const full = fullName(picked)
      return fits(name, hostOf(name)) || fits(full, hostOf(full))
    })
    if (found.length > 0) return found
  }
  return []
}

/** `web1:80` and `[::1]:80` without the port; the brackets may be left out. */
function hostOf(name: string): string {
  return name.replace(/:\d+$/, '').replace(/\[([^\]]*)\]$/, '$1')
}

/**
 * Finds virtual routers by name or the beginning of one.
 *
 * @param typed undefined for all
 * @throws {Refusal} `TSHA_E_UNKNOWN_NAME`
 */
export function pickRouters(
  typed: string | undefined,
  { virtual_routers: all }: Status
): readonly VirtualRouterStatus[] {
  return typed === undefined ? all : [pickRouter(typed, all)]
}

/** The one virtual router that is meant. @throws {Refusal} `TSHA_E_UNKNOWN_NAME` */
export function pickRouter(
  typed: string,
  all: readonly VirtualRouterStatus[]
): VirtualRouterStatus {
  const exact = all.filter(({ name }) => name === typed)
  const found = exact.length > 0 ? exact : all.filter(({ name }) => name.startsWith(typed))
  const [first] = found
  if (first !== undefined && found.length === 1) return first
  throw new Refusal(
    'TSHA_E_UNKNOWN_NAME',
    found.length > 1
      ? `${typed} can be several virtual routers; name one of them:`
      : all.length === 0
        ? `there is no virtual router ${typed}: this director has none`
        : `there is no virtual router ${typed}; there are:`,
    (found.length > 1 ? found : all).map(({ name }) => name)
  )
}

import type { Status, VirtualRouterState, VirtualRouterStatus } from './model.js'

/** keepalived's numbers of the states. */
const STATES: Readonly<Record<VirtualRouterState, number>> = {
  initialize: 0,
  backup: 1,
  master: 2,
  fault: 3
}

/** What keepalived's dump counts; the rest of our counters it has only for SNMP. */
const STATS = [
  'advert_rcvd',
  'advert_sent',
  'become_master',
  'release_master',
  'packet_len_err',
  'advert_interval_err',
  'ip_ttl_err',
  'invalid_type_rcvd',
  'addr_list_err',
  'invalid_authtype',
  'authtype_mismatch',
  'auth_failure',
  'pri_zero_rcvd',
  'pri_zero_sent'
] as const

/** One virtual router in the form of keepalived's JSON dump. */
export interface KeepalivedInstance {
  readonly data: {
    readonly iname: string
    readonly ifp_ifname: string
    readonly vrid: number
    readonly version: number
    /** Seconds since 1970. */
    readonly last_transition: number
    readonly base_priority: number
    readonly effective_priority: number
    /** 0 when nobody else is master. */
    readonly master_priority: number
    /** Seconds, both of them: the interval in use. */
    readonly adver_int: number
    readonly master_adver_int: number
    /** 0 for INIT, 1 for BACKUP, 2 for MASTER, 3 for FAULT. */
    readonly state: number
    readonly wantstate: number
    readonly vipset: boolean
    /** `ADDRESS/LENGTH dev INTERFACE`, and `set` while they are held. */
    readonly vips: readonly string[]
  }
  readonly stats: Readonly<Record<(typeof STATS)[number], number>>
}

/**
 * A status in the form of keepalived's JSON dump (`kill -s $(keepalived --signum=JSON)`), for
 * monitoring that reads that: its names and units, and nothing where tsha's status has no answer.
 * `docs/status.md` lists what is missing; the password, which keepalived tells, is.
 */
export function keepalivedJson({
  virtual_routers: routers
}: Status): readonly KeepalivedInstance[] {
  return routers.map((router) => ({ data: dataOf(router), stats: statsOf(router) }))
}

function dataOf(router: VirtualRouterStatus): KeepalivedInstance['data'] {
  const isMaster = router.state === 'master'
  const interval = router.timers.advert_interval_ms / 1000
  const state = STATES[router.state]
  return {
    iname: router.name,
    ifp_ifname: router.interface,
    vrid: router.vrid,
    version: router.vrrp_version,
    last_transition: Date.parse(router.since) / 1000,
    base_priority: router.priority_override ?? router.configured_priority,
    effective_priority: router.effective_priority,
    master_priority: router.master?.priority ?? 0,
    adver_int: interval,
    master_adver_int: interval,
    state,
    wantstate: state,
    vipset: isMaster,
    vips: router.addresses.map(
      (address) => `${address} dev ${router.interface}${isMaster ? ' set' : ''}`
    )
  }
}

function statsOf({ counters }: VirtualRouterStatus): KeepalivedInstance['stats'] {
  const stats = STATS.map((name) => [name, counters[name] ?? 0] as const)
  return Object.fromEntries(stats) as KeepalivedInstance['stats']
}

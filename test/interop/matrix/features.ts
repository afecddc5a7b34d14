import { ADDRESSES, VIP, ipv6Of } from '../../netns/lab/lab.js'
import { HMAC_VERSION } from './keepalived.js'
import type { StoryName } from './story.js'

/** The two directors; `director1` has the higher priority. */
export const DIRECTORS = ['director1', 'director2'] as const
export type DirectorName = (typeof DIRECTORS)[number]

/** While this file is there, the tracked script passes. */
export const HEALTHY = '/run/healthy'

/** A feature of VRRP that two directors use, as their administrators write it. */
export interface Feature {
  readonly name: string
  readonly story: StoryName
  /** Text of `keepalived.conf` by director: keepalived reads it, and so does tsha. */
  readonly keepalivedConf: Readonly<Record<DirectorName, string>>
  /** Text of `tsha.yaml` by director, where tsha is to read that instead. */
  readonly tshaYaml?: Readonly<Record<DirectorName, string>>
  /** The watched virtual address of each virtual router, by VRID. */
  readonly addresses: ReadonlyMap<number, string>
  /**
   * Master_Down_Interval of `director2` while `director1` is master, in milliseconds: that two
   * keepalived do need that long is what makes them a reference.
   */
  readonly masterDownMs: number
  readonly ipv6?: boolean
  /** The first version of keepalived that has it, where that is not Debian's. */
  readonly since?: string
  /** Played only when it is asked for: `TSHA_FEATURE`, or `TSHA_LONG=1`. */
  readonly isRare?: boolean
}

interface Instance {
  readonly name?: string
  readonly vrid?: number
  /** MASTER and BACKUP unless both are BACKUP. */
  readonly state?: 'BACKUP'
  readonly priority?: Readonly<Record<DirectorName, number>>
  /** Seconds between two advertisements, by director. */
  readonly interval?: Readonly<Record<DirectorName, number>>
  readonly addresses?: readonly string[]
  /** What follows the script's name in `track_script`; null tracks none. */
  readonly track?: string | null
  readonly lines?: (director: DirectorName) => readonly string[]
}

const PRIORITIES = { director1: 100, director2: 90 } as const
const PASS = ['authentication {', 'auth_type PASS', 'auth_pass 123456', '}']
const HMAC_KEY = 'hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
const HMAC = ['auth_hmac {', `key 7 ${HMAC_KEY}`, 'active_key 7', '}']
const SECOND_VIP = '192.168.64.201'
const VIP6 = 'fd00:64::200'

function instance(director: DirectorName, options: Instance): string {
  const { name = 'nginx', vrid = 51, track = 'weight -20' } = options
  const state = options.state ?? (director === 'director1' ? 'MASTER' : 'BACKUP')
  const addresses = options.addresses ?? [`${VIP}/24`]
  return [
    `vrrp_instance ${name} {`,
    `state ${state}`,
    'interface ens160',
    `virtual_router_id ${vrid}`,
    `priority ${(options.priority ?? PRIORITIES)[director]}`,
    `advert_int ${options.interval?.[director] ?? 1}`,
    ...(options.lines?.(director) ?? []),
    ...['virtual_ipaddress {', ...addresses, '}'],
    ...(track === null ? [] : ['track_script {', `healthy ${track}`.trim(), '}']),
    '}'
  ].join('\n')
}

/** The script runs every second; one result is enough either way. */
const SCRIPT = `vrrp_script healthy {
script "/usr/bin/test -e ${HEALTHY}"
interval 1
}`

function conf(director: DirectorName, ...instances: readonly string[]): string {
  return `${[`global_defs {\nrouter_id ${director}\n}`, SCRIPT, ...instances].join('\n')}\n`
}

function both(text: (director: DirectorName) => string): Readonly<Record<DirectorName, string>> {
  return { director1: text('director1'), director2: text('director2') }
}

/** Three seconds and Skew_Time of priority 90, 166/256 s. */
const MASTER_DOWN_MS = 3648

function single(options: Instance): Pick<Feature, 'keepalivedConf' | 'addresses' | 'masterDownMs'> {
  return {
    masterDownMs: MASTER_DOWN_MS,
    keepalivedConf: both((director) => conf(director, instance(director, options))),
    addresses: new Map([[51, VIP]])
  }
}

function unicast(director: DirectorName): readonly string[] {
  const partner = director === 'director1' ? 'director2' : 'director1'
  return [`unicast_src_ip ${ADDRESSES[director]}`, 'unicast_peer {', ADDRESSES[partner], '}']
}

function unicast6(director: DirectorName): readonly string[] {
  const partner = director === 'director1' ? 'director2' : 'director1'
  return [`unicast_src_ip ${ipv6Of(director)}`, 'unicast_peer {', ipv6Of(partner), '}']
}

const V2_PASS = single({ lines: () => PASS })

/** The same virtual router as `V2_PASS`, in tsha's own form. */
function handOverAsKeepalived(director: DirectorName, ...lines: readonly string[]): string {
  return `checks:
  healthy: { command: [/usr/bin/test, -e, ${HEALTHY}], interval: 1s }
virtual_routers:
  nginx:
    interface: ens160
    vrid: 51
    priority: ${PRIORITIES[director]}
    authentication: { type: pass, password: "123456" }
    addresses: [${VIP}/24]
    track: [{ check: healthy, weight: -20 }]
    hand_over: keepalived
${lines.map((line) => `    ${line}\n`).join('')}`
}

const ADVERTS = ['higher_prio_send_advert', 'lower_prio_no_advert']

/** Two virtual routers that move together; the script belongs to one of them. */
function group(options: Instance): Pick<Feature, 'keepalivedConf' | 'addresses' | 'masterDownMs'> {
  const other = { name: 'other', vrid: 52, addresses: [`${SECOND_VIP}/24`], track: null }
  return {
    masterDownMs: MASTER_DOWN_MS,
    keepalivedConf: both((director) =>
      conf(
        director,
        instance(director, options),
        instance(director, { ...options, ...other }),
        'vrrp_sync_group both {\ngroup {\nnginx\nother\n}\n}'
      )
    ),
    addresses: new Map([
      [51, VIP],
      [52, SECOND_VIP]
    ])
  }
}

/** Every feature that the interop matrix compares. */
export const FEATURES: readonly Feature[] = [
  { name: 'v2 PASS', story: 'preempting', ...V2_PASS },
  {
    name: 'v2 PASS, hand_over: keepalived',
    story: 'preempting',
    ...V2_PASS,
    tshaYaml: both((director) => handOverAsKeepalived(director))
  },
  { name: 'v2 without authentication', story: 'preempting', ...single({}) },
  { name: 'v3 IPv4', story: 'preempting', ...single({ lines: () => ['version 3'] }) },
  {
    name: 'v3 IPv4, two intervals',
    story: 'preempting',
    ...single({ lines: () => ['version 3'], interval: { director1: 0.4, director2: 0.7 } }),
    // The backup has adopted the master's 0.4 s: 1200 ms and 166/256 of 0.4 s.
    masterDownMs: 1459
  },
  {
    name: 'v3 IPv6',
    story: 'preempting',
    ...single({ lines: () => ['version 3'], addresses: ['fe80::64:200/64', `${VIP6}/64`] }),
    addresses: new Map([[51, VIP6]]),
    ipv6: true
  },
  {
    name: 'unicast',
    story: 'preempting',
    ...single({
      lines: (director) => [...PASS, ...unicast(director)]
    })
  },
  {
    name: 'v3 IPv6 unicast',
    story: 'preempting',
    ...single({
      lines: (director) => ['version 3', ...unicast6(director)],
      addresses: [`${VIP6}/64`]
    }),
    addresses: new Map([[51, VIP6]]),
    ipv6: true
  },
  {
    name: 'v2 HMAC',
    story: 'preempting',
    ...single({ lines: () => HMAC }),
    since: HMAC_VERSION
  },
  {
    name: 'v3 IPv6 HMAC',
    story: 'preempting',
    ...single({
      lines: () => ['version 3', ...HMAC],
      addresses: ['fe80::64:200/64', `${VIP6}/64`]
    }),
    addresses: new Map([[51, VIP6]]),
    ipv6: true,
    since: HMAC_VERSION
  },
  {
    name: 'v3 unicast HMAC',
    story: 'preempting',
    ...single({ lines: (director) => ['version 3', ...unicast(director), ...HMAC] }),
    since: HMAC_VERSION
  },
  {
    name: 'nopreempt',
    story: 'nopreempt',
    ...single({ state: 'BACKUP', lines: () => [...PASS, 'nopreempt'], track: null })
  },
  {
    // A half second: whether an advertisement comes before or after its end must not be chance.
    name: 'preempt_delay',
    story: 'delayed',
    ...single({ state: 'BACKUP', lines: () => [...PASS, 'preempt_delay 1.5'], track: null })
  },
  { name: 'sync group', story: 'grouped', ...group({ lines: () => PASS, track: '' }) },
  {
    name: 'sync group, nopreempt',
    isRare: true,
    story: 'nopreempt',
    ...group({ state: 'BACKUP', lines: () => [...PASS, 'nopreempt'], track: null })
  },
  {
    // Nobody preempts an equal, as with nopreempt.
    name: 'equal priorities',
    isRare: true,
    story: 'equal',
    ...single({ priority: { director1: 100, director2: 100 }, track: null }),
    masterDownMs: 3609
  },
  {
    name: 'address owner',
    isRare: true,
    story: 'owner',
    ...single({ priority: { director1: 255, director2: 90 }, track: null })
  },
  {
    name: 'down_timer_adverts',
    isRare: true,
    story: 'preempting',
    ...single({ lines: () => [...PASS, 'down_timer_adverts 2'] }),
    masterDownMs: 2648
  },
  {
    name: 'one more advertisement',
    isRare: true,
    story: 'preempting',
    ...single({ lines: () => [...PASS, ...ADVERTS] }),
    tshaYaml: both((director) =>
      handOverAsKeepalived(director, 'higher_prio_advert: true', 'lower_prio_advert: false')
    )
  }
]

import { addresses } from './address-block.js'
import { authentication, hmac } from './auth-blocks.js'
import { flag, newDraft, number, program, seconds, text } from './draft.js'
import type { Draft } from './draft.js'
import { NOTIFY_DIRECTIVES } from './notify-directives.js'
import type { Statement } from './parser.js'
import { numberOf } from './statement-reader.js'
import type { Directive, Directives, StatementReader } from './statement-reader.js'

/** A `vrrp_instance` that is being read. */
export interface RouterDraft extends Draft {
  state: Statement | null
  nativeIpv6: Statement | null
  /** The last unicast directive, which needs `unicast_peer`. */
  unicast: Statement | null
  readonly peers: unknown[]
}

export function newRouterDraft(name: string, reader: StatementReader): RouterDraft {
  const draft = newDraft(['virtual_routers', name], reader)
  return { ...draft, state: null, nativeIpv6: null, unicast: null, peers: [] }
}

function ofRouter(
  takes: Directive<RouterDraft>['takes'],
  read: (line: Statement, draft: RouterDraft) => void
): Directive<RouterDraft> {
  return { takes, read }
}

const garpCount = (key: string): Directive<Draft> => ({
  takes: 'value',
  read: (line, draft, reader) => {
    const count = reader.number(line)
    if (count === 0) reader.note(`${line.keyword} 0 is 1, as in keepalived`)
    draft.set(key, count === 0 ? 1 : count, line)
  }
})

/** What an instance has under its own name and `global_defs` under the same with `vrrp_` before it. */
export const SHARED_DIRECTIVES: Directives<Draft> = {
  down_timer_adverts: number('down_timer_adverts'),
  garp_lower_prio_delay: seconds('announcements.lower_prio_delay'),
  garp_lower_prio_repeat: number('announcements.lower_prio_repeat'),
  garp_master_delay: seconds('announcements.delay'),
  garp_master_refresh: seconds('announcements.refresh'),
  garp_master_refresh_repeat: garpCount('announcements.refresh_repeat'),
  garp_master_repeat: garpCount('announcements.repeat'),
  higher_prio_send_advert: flag('higher_prio_advert', true, false),
  lower_prio_no_advert: flag('lower_prio_advert', false, true),
  version: number('version')
}

const peers: Directive<RouterDraft> = {
  takes: 'block',
  read: (line, draft, reader) => {
    draft.unicast = line
    reader.place([...draft.path, 'unicast'], line)
    for (const entry of line.block ?? []) {
      const path = [...draft.path, 'unicast', 'peers', draft.peers.length]
      reader.placeEntry(path, line.keyword, entry.position)
      const peer: Record<string, unknown> = { address: entry.keyword }
      for (let at = 0; at < entry.args.length; at += 2) {
        const [option, value] = entry.args.slice(at, at + 2)
        if (!option || !['min_ttl', 'max_ttl'].includes(option.text) || !value) {
          reader.notSupportedWord(entry, at)
          break
        }
        peer[option.text] = numberOf(value.text)
        reader.placeEntry([...path, option.text], option.text, value.position)
        // keepalived: a range of TTLs is a range of the peer's, so others are not heard.
        draft.assign('unicast.check_source', true)
      }
      draft.peers.push(Object.keys(peer).length === 1 ? entry.keyword : peer)
    }
  }
}

const source: Directive<Draft> = {
  takes: 'value',
  read: (line, draft, reader) => {
    draft.set('source_address', reader.text(line), line)
  }
}

/** The directives of `vrrp_instance` that are read, besides those that track. */
export const ROUTER_DIRECTIVES: Directives<RouterDraft> = {
  ...SHARED_DIRECTIVES,
  ...NOTIFY_DIRECTIVES,
  advert_int: seconds('advert_interval'),
  auth_hmac: hmac,
  authentication,
  check_unicast_src: ofRouter('flag', (line, draft) => {
    draft.unicast ??= line
    draft.assign('unicast.check_source', true)
  }),
  dont_track_primary: flag('track_primary', false, true),
  interface: text('interface'),
  mcast_dst_ip: text('multicast_group'),
  mcast_src_ip: source,
  native_ipv6: ofRouter('flag', (line, draft) => {
    draft.nativeIpv6 = line
  }),
  nopreempt: flag('preempt', false, true),
  notify_deleted: program('notify.deleted'),
  notify_master_rx_lower_pri: program('notify.master_rx_lower_pri'),
  preempt: flag('preempt', true, false),
  preempt_delay: seconds('preempt_delay'),
  notify_priority_changes: flag('notify_priority_changes', true, false),
  owner_ignore_adverts: flag('owner_ignore_adverts', true, false),
  priority: number('priority'),
  promote_secondaries: flag('promote_secondaries', true, false),
  state: ofRouter('value', (line, draft) => {
    draft.state = line
  }),
  unicast_peer: peers,
  unicast_src_ip: {
    takes: 'value',
    read: (line, draft, reader) => {
      draft.unicast ??= line
      source.read(line, draft, reader)
    }
  },
  unicast_ttl: {
    takes: 'value',
    read: (line, draft, reader) => {
      draft.unicast ??= line
      draft.set('unicast.ttl', reader.number(line), line)
    }
  },
  v3_checksum_as_v2: flag('checksum', 'plain', 'pseudo_header'),
  virtual_ipaddress: addresses('addresses'),
  virtual_ipaddress_excluded: addresses('excluded_addresses'),
  virtual_router_id: number('vrid')
}

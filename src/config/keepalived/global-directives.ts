import type { Family } from '../addresses.js'
import { entriesOf } from '../source.js'
import { flag, groupOf, newDraft, number, program, seconds, text } from './draft.js'
import type { Draft } from './draft.js'
import type { Statement } from './parser.js'
import { SHARED_DIRECTIVES } from './router-directives.js'
import type { RouterDraft } from './router-directives.js'
import type { Directive, Directives, StatementReader } from './statement-reader.js'

/** What `global_defs` says about every instance, in the shape of one. */
export type Defaults = Draft

/** `global_defs` that is being read: its own keys, and the defaults of instances. */
export interface GlobalDraft extends Draft {
  readonly defaults: Defaults
}

export function newGlobalDraft(reader: StatementReader): GlobalDraft {
  return { ...newDraft([], reader), defaults: newDraft(['defaults'], reader) }
}

/** A directive about every instance: what the instance's own one does, to the defaults. */
function forAll(directive: Directive<Draft>): Directive<GlobalDraft> {
  return {
    ...directive,
    read: (line, draft, reader) => {
      directive.read(line, draft.defaults, reader)
    }
  }
}

const shared = Object.fromEntries(
  Object.entries(SHARED_DIRECTIVES).map(([name, directive]) => [`vrrp_${name}`, forAll(directive)])
)

/** keepalived has a FIFO for everything and one for VRRP; here they are one. */
const fifo: Directive<Draft> = {
  takes: 'value',
  read: (line, draft, reader) => {
    const [path, user, group] = line.args.map((arg) => arg.text)
    if (line.args.length > 3) reader.notSupportedWord(line, 3)
    if (draft.get('notify_fifo.path') !== undefined) {
      const message = 'a second FIFO is not supported; use notify_fifo or vrrp_notify_fifo'
      reader.problem('TSHA_E_NOT_SUPPORTED', message, line.position)
    }
    draft.set('notify_fifo.path', path, line)
    if (user !== undefined) draft.set('notify_fifo.user', user, line)
    if (group !== undefined) draft.set('notify_fifo.group', groupOf(group, line, reader), line)
  }
}

/** The directives of `global_defs` that are read. */
export const GLOBAL_DIRECTIVES: Directives<GlobalDraft> = {
  ...shared,
  enable_script_security: {
    takes: 'flag',
    read: (_line, _draft, reader) => {
      reader.note(
        'enable_script_security: tsha does not look at who may write to scripts; keep them and their directories writable by root alone'
      )
    }
  },
  log_unknown_vrids: flag('log_unknown_vrids', true, false),
  notify_fifo: fifo,
  notify_fifo_script: program('notify_fifo.reader'),
  router_id: text('router_id'),
  script_user: {
    takes: 'value',
    read: (line, draft, reader) => {
      const [user, group] = line.args.map((arg) => arg.text)
      draft.set('script_user', user, line)
      if (group !== undefined) draft.set('script_group', group.replace(/^:/, '') || undefined, line)
      if (line.args.length > 2) reader.notSupportedWord(line, 2)
    }
  },
  set_supplementary_groups: {
    takes: 'flag',
    read: (line, _draft, reader) => {
      reader.ignored.push(line.keyword)
    }
  },
  v3_checksum_as_v2: forAll(flag('checksum', 'plain', 'pseudo_header')),
  vrrp_check_unicast_src: forAll(flag('unicast.check_source', true, false)),
  vrrp_delay_after_boot: seconds('delay_after_boot'),
  vrrp_garp_interval: forAll(seconds('announcements.garp_interval')),
  vrrp_gna_interval: forAll(seconds('announcements.gna_interval')),
  vrrp_mcast_group4: forAll(text('multicast_group.ipv4')),
  vrrp_mcast_group6: forAll(text('multicast_group.ipv6')),
  vrrp_min_garp: forAll({
    takes: 'flag',
    read: (line, draft, reader) => {
      // keepalived: what is set otherwise before it stays.
      if (!reader.isOn(line)) return
      if (draft.get('announcements.repeat') === undefined)
        draft.set('announcements.repeat', 1, line)
      if (draft.get('announcements.delay') === undefined)
        draft.set('announcements.delay', '0s', line)
    }
  }),
  vrrp_no_swap: flag('lock_memory', true, false),
  vrrp_notify_fifo: fifo,
  vrrp_notify_fifo_script: program('notify_fifo.reader'),
  vrrp_notify_priority_changes: forAll(flag('notify_priority_changes', true, false)),
  vrrp_owner_ignore_adverts: forAll(flag('owner_ignore_adverts', true, false)),
  vrrp_priority: number('nice'),
  vrrp_rt_priority: number('realtime_priority'),
  vrrp_startup_delay: seconds('startup_delay')
}

/** Gives an instance what it has not set for itself. */
export function applyDefaults(
  defaults: Defaults,
  draft: RouterDraft,
  family: Family,
  reader: StatementReader
): void {
  const take = (from: string, to: string): void => {
    const value = defaults.get(from)
    if (value === undefined || draft.get(to) !== undefined) return
    draft.assign(to, value)
    reader.placeAs([...draft.path, ...to.split('.')], [...defaults.path, ...from.split('.')])
  }
  // keepalived's own default of the bursts after a weaker advertisement is the global one.
  for (const [own, other] of [
    ['lower_prio_repeat', 'repeat'],
    ['lower_prio_delay', 'delay']
  ]) {
    if (defaults.get(`announcements.${own}`) === undefined && changesBurst(draft)) {
      const value = defaults.get(`announcements.${other}`) ?? (other === 'repeat' ? 5 : '5s')
      if (draft.get(`announcements.${own}`) === undefined)
        draft.assign(`announcements.${own}`, value)
    }
  }
  for (const [key, value] of entriesOf(defaults.value)) {
    if (key === 'announcements') {
      for (const [inner] of entriesOf(value))
        take(`announcements.${inner}`, `announcements.${inner}`)
    } else if (key === 'multicast_group') {
      if (draft.peers.length === 0) take(`multicast_group.${family}`, 'multicast_group')
    } else if (key === 'unicast') {
      if (draft.peers.length > 0) take('unicast.check_source', 'unicast.check_source')
    } else if (key !== 'version' || family === 'ipv4') take(key, key)
  }
}

function changesBurst(draft: Draft): boolean {
  return ['repeat', 'delay'].some((key) => draft.get(`announcements.${key}`) !== undefined)
}

/** The block `garp_group`: intervals of all instances on some interfaces. */
interface GarpGroupDraft extends Draft {
  readonly interfaces: string[]
}

export const GARP_GROUP_DIRECTIVES: Directives<GarpGroupDraft> = {
  garp_interval: seconds('garp_interval'),
  gna_interval: seconds('gna_interval'),
  interface: {
    takes: 'value',
    read: (line, draft, reader) => {
      const name = reader.text(line)
      if (name !== undefined) draft.interfaces.push(name)
    }
  },
  interfaces: {
    takes: 'block',
    read: (line, draft) => {
      const names = (line.block ?? []).flatMap(({ keyword, args }) => [
        keyword,
        ...args.map((arg) => arg.text)
      ])
      draft.interfaces.push(...names)
    }
  }
}

/** Reads a `garp_group` into the routers on its interfaces. */
export function readGarpGroup(
  statement: Statement,
  reader: StatementReader,
  routers: Readonly<Record<string, unknown>>
): void {
  const group: GarpGroupDraft = { ...newDraft(['garp_group'], reader), interfaces: [] }
  reader.block(statement, 'garp_group', GARP_GROUP_DIRECTIVES, group)
  for (const [name, router] of entriesOf(routers)) {
    const device = (router as Record<string, unknown>)['interface']
    if (typeof device !== 'string' || !group.interfaces.includes(device)) continue
    const draft = newDraft(['virtual_routers', name], reader)
    Object.assign(draft.value, router)
    for (const [key, value] of entriesOf(group.value)) {
      draft.assign(`announcements.${key}`, value)
      reader.placeAs([...draft.path, 'announcements', key], ['garp_group', key])
    }
    Object.assign(router as object, draft.value)
  }
  if (group.interfaces.length > 1 && Object.keys(group.value).length > 0) {
    reader.note(
      'garp_group: the intervals hold for each virtual router for itself; keepalived counts them over the whole group'
    )
  }
}

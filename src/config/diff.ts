import type { AdminConfig, AdminListen } from '../admin/messages.js'
import { changesOf, EFFECT_AT_START, type FieldNames } from './diff-fields.js'
import { proxyChanges } from './diff-proxy.js'
import { routerChanges } from './diff-routers.js'
import type {
  Config,
  ElectionConfig,
  FileCheck,
  LinkDelay,
  ProcessCheck,
  ScriptCheck,
  SyncGroup
} from './model.js'
import { isSame } from './same.js'
import { trackChanges, notifyChanges } from './diff-followed.js'

/** How a running director comes to follow a field of the configuration that has changed. */
export type Application =
  /** Changed where it is used; nothing begins anew. */
  | 'in-place'
  /** What it belongs to begins anew: the checks of that name, the pipe, the proxy's workers. */
  | 'anew'
  /** Read once, at the start: the change counts at the next one. */
  | 'next-start'

/** Every field of the configuration, and how a change of it is applied. A new field has to be named here. */
export const CONFIG_FIELDS: Readonly<Record<Exclude<keyof Config, 'election'>, Application>> = {
  role: 'in-place',
  routerId: 'in-place',
  virtualRouters: 'in-place',
  syncGroups: 'in-place',
  scripts: 'anew',
  processes: 'anew',
  files: 'anew',
  serviceCheck: 'anew',
  proxy: 'anew',
  admin: 'anew',
  pidFile: 'in-place'
}

/** The same of what holds for every election. */
export const ELECTION_FIELDS: Readonly<Record<keyof ElectionConfig, Application>> = {
  startupDelayMs: 'next-start',
  delayAfterBootMs: 'next-start',
  notifyFifo: 'anew',
  linkDelays: 'in-place',
  nice: 'next-start',
  realtimePriority: 'next-start',
  lockMemory: 'next-start',
  logUnknownVrids: 'in-place'
}

/**
 * What differs between two configurations of one director, one line for each change, for people:
 * `virtual router VI_1: priority 100 -> 110`. Never has a secret in it. Empty when nothing does.
 */
export function diffConfigs(before: Config, after: Config): readonly string[] {
  return [
    ...changesOf('', before, after, { role: 'role', routerId: 'router_id', pidFile: 'pid_file' }),
    ...routerChanges(before.virtualRouters, after.virtualRouters),
    ...namedChanges('sync group', before.syncGroups, after.syncGroups, groupChanges),
    ...electionChanges(before.election, after.election),
    ...namedChanges('script check', before.scripts, after.scripts, scriptChanges),
    ...namedChanges('process check', before.processes, after.processes, processChanges),
    ...namedChanges('file check', before.files, after.files, fileChanges),
    ...serviceChanges(before, after),
    ...proxyChanges(before.proxy, after.proxy),
    ...adminChanges(before.admin, after.admin)
  ]
}

/** A new field has to be named here. */
const ADMIN: Readonly<Record<Exclude<keyof AdminConfig, 'listen'>, string>> = {
  socket: 'socket',
  socketGroup: 'socket_group',
  recordings: 'recordings'
}

const ADMIN_LISTEN: FieldNames<AdminListen> = {
  tls: 'tls',
  host: 'listen',
  port: 'listen',
  tokenFile: 'token_file',
  hostNames: 'host_names'
}

function adminChanges(before: AdminConfig | null, after: AdminConfig | null): readonly string[] {
  if (before === null || after === null) {
    return before === after ? [] : [`admin: ${after === null ? 'off' : 'on'}`]
  }
  const [old, listen] = [before.listen, after.listen]
  const isKept = old !== null && listen !== null
  return [
    ...changesOf('admin', before, after, ADMIN),
    ...(isKept || old === listen ? [] : [`admin: listen ${listen === null ? 'removed' : 'added'}`]),
    ...(isKept ? changesOf('admin', old, listen, ADMIN_LISTEN) : [])
  ]
}

interface Named {
  readonly name: string
}

function namedChanges<Item extends Named>(
  what: string,
  before: readonly Item[],
  after: readonly Item[],
  describe: (label: string, before: Item, after: Item) => readonly string[]
): readonly string[] {
  const find = (items: readonly Item[], name: string): Item | undefined =>
    items.find((item) => item.name === name)
  return [
    ...before
      .filter(({ name }) => !find(after, name))
      .map(({ name }) => `${what} ${name}: removed`),
    ...after.flatMap((item) => {
      const old = find(before, item.name)
      return old ? describe(`${what} ${item.name}`, old, item) : [`${what} ${item.name}: added`]
    })
  ]
}

function groupChanges(label: string, before: SyncGroup, after: SyncGroup): readonly string[] {
  const members = [before, after].map((group) => group.members.join(', '))
  return [
    ...(isSame(before.members, after.members)
      ? []
      : [`${label}: members ${members[0] ?? ''} -> ${members[1] ?? ''}`]),
    ...changesOf(label, before, after, { tracksWeights: 'tracks_weights' }),
    ...trackChanges(label, before.track, after.track),
    ...notifyChanges(label, before.notify, after.notify)
  ]
}

const SCRIPT: FieldNames<ScriptCheck> = {
  command: 'command',
  user: 'user',
  group: 'group',
  rise: 'rise',
  fall: 'fall',
  intervalMs: 'interval',
  timeoutMs: 'timeout',
  initFail: 'init_fail'
}

function scriptChanges(label: string, before: ScriptCheck, after: ScriptCheck): readonly string[] {
  return changesOf(label, before, after, SCRIPT)
}

const PROCESS: FieldNames<ProcessCheck> = {
  process: 'process',
  parameters: 'parameters',
  parameterMatch: 'parameter_match',
  fullCommand: 'full_command',
  quorum: 'quorum',
  quorumMax: 'quorum_max',
  terminateDelayMs: 'terminate_delay',
  forkDelayMs: 'fork_delay',
  intervalMs: 'interval'
}

function processChanges(
  label: string,
  before: ProcessCheck,
  after: ProcessCheck
): readonly string[] {
  return changesOf(label, before, after, PROCESS)
}

const FILE: FieldNames<FileCheck> = { path: 'path', initial: 'init_file' }

function fileChanges(label: string, before: FileCheck, after: FileCheck): readonly string[] {
  return changesOf(label, before, after, FILE)
}

function serviceChanges(before: Config, after: Config): readonly string[] {
  const label = 'service check'
  if (before.serviceCheck === null || after.serviceCheck === null) {
    if (before.serviceCheck === after.serviceCheck) return []
    return [`${label}: ${before.serviceCheck === null ? 'added' : 'removed'}`]
  }
  return changesOf(label, before.serviceCheck, after.serviceCheck, {
    rise: 'rise',
    fall: 'fall',
    intervalMs: 'interval',
    timeoutMs: 'timeout'
  })
}

function electionChanges(before: ElectionConfig, after: ElectionConfig): readonly string[] {
  return [
    ...fifoChanges(before, after),
    ...delayChanges(before.linkDelays, after.linkDelays),
    ...changesOf('', before, after, { logUnknownVrids: 'log_unknown_vrids' }),
    ...changesOf('', before, after, {
      startupDelayMs: 'startup_delay',
      delayAfterBootMs: 'delay_after_boot',
      nice: 'nice',
      realtimePriority: 'realtime_priority',
      lockMemory: 'lock_memory'
    }).map((line) => `${line}${EFFECT_AT_START}`)
  ]
}

function fifoChanges(before: ElectionConfig, after: ElectionConfig): readonly string[] {
  if (before.notifyFifo === null || after.notifyFifo === null) {
    if (before.notifyFifo === after.notifyFifo) return []
    return [`notify FIFO: ${before.notifyFifo === null ? 'added' : 'removed'}`]
  }
  return changesOf('notify FIFO', before.notifyFifo, after.notifyFifo, {
    path: 'path',
    user: 'user',
    group: 'group',
    reader: 'reader'
  })
}

function delayChanges(
  before: readonly LinkDelay[],
  after: readonly LinkDelay[]
): readonly string[] {
  const named = (delays: readonly LinkDelay[]): readonly (LinkDelay & Named)[] =>
    delays.map((delay) => ({ ...delay, name: delay.interface }))
  return namedChanges('link delay', named(before), named(after), (label, old, changed) =>
    changesOf(label, old, changed, { downMs: 'down', upMs: 'up' })
  )
}

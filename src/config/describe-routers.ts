import type {
  Announcements,
  Authentication,
  Command,
  Config,
  ElectionConfig,
  Notify,
  NotifyFifo,
  SyncGroup,
  Track,
  Unicast,
  VirtualAddress,
  VirtualRouterConfig
} from './model.js'
import { MULTICAST_GROUPS, OWNER_PRIORITY } from './resolve-routers.js'
import { formatDuration } from './units.js'

/** Elections, their groups and how the director process runs, for people. Never has a secret in it. */
export function describeElections(config: Config): string[] {
  if (config.virtualRouters.length === 0) return []
  return [
    ...config.virtualRouters.flatMap((router) => describeRouter(router, config)),
    ...config.syncGroups.flatMap((group) => describeGroup(group, config)),
    ...describeProcess(config.election)
  ]
}

function describeRouter(router: VirtualRouterConfig, config: Config): string[] {
  const lease = router.addressLeaseMs === null ? 'off' : formatDuration(router.addressLeaseMs)
  const version = router.version === 3 ? ', VRRPv3' : ''
  const excluded = router.excludedAddresses.map(describeAddress)
  return [
    `virtual router ${router.name}: interface ${router.interface}, VRID ${router.vrid}${version}, ` +
      `priority ${router.priority}, advertisement every ${formatDuration(router.advertIntervalMs)}, ` +
      describeAuthentication(router.authentication),
    `  addresses ${router.addresses.map(describeAddress).join(', ')}; hand over ${router.handOver}; address lease ${lease}`,
    ...(excluded.length > 0 ? [`  not in advertisements: ${excluded.join(', ')}`] : []),
    ...describeWay(router),
    ...describeRules(router),
    ...describeAnnouncements(router.announcements),
    ...router.track.map((track) => `  ${describeTrack(track, config)}`),
    ...describeNotify(router.notify)
  ]
}

function describeAddress(address: VirtualAddress): string {
  const { interface: device, broadcast, label, scope, noPrefixRoute, noTrack, peer } = address
  const isWhole = address.address.includes(':') && address.prefixLength === 128
  const options = [
    ...(device === null ? [] : [`dev ${device}`]),
    ...(peer === null ? [] : [`peer ${peer}`]),
    ...(broadcast === null ? [] : [`brd ${broadcast}`]),
    ...(label === null ? [] : [`label ${label}`]),
    ...(scope === null ? [] : [`scope ${scope}`]),
    ...(noPrefixRoute ? ['noprefixroute'] : []),
    ...(address.isDeprecated === isWhole
      ? []
      : [address.isDeprecated ? 'deprecated' : 'not deprecated']),
    ...(noTrack ? ['no_track'] : [])
  ]
  return [`${address.address}/${address.prefixLength}`, ...options].join(' ')
}

function describeAuthentication(authentication: Authentication | null): string {
  if (authentication === null) return 'no authentication'
  if (authentication.type === 'pass') return 'authentication PASS'
  const { keys, mode, antiReplay, windowMs } = authentication
  const [first, ...others] = keys.map(({ id }) => id)
  const also = others.length === 0 ? '' : `, ${others.join(' and ')} accepted too`
  const window = antiReplay === 'time' ? ` within ${formatDuration(windowMs)}` : ''
  const signs = mode === 'receive-only' ? 'accepted' : 'signs'
  return `authentication HMAC (key ${first ?? 'none'} ${signs}${also}; ${mode}, ${antiReplay}${window})`
}

/** How advertisements go and come, where it is not the usual way. */
function describeWay(router: VirtualRouterConfig): string[] {
  const { family, version, unicast, multicastGroup, sourceAddress } = router
  const parts = [
    ...(unicast ? [describeUnicast(unicast)] : []),
    ...(!unicast && multicastGroup !== MULTICAST_GROUPS[family]
      ? [`multicast group ${multicastGroup}`]
      : []),
    ...(sourceAddress === null ? [] : [`source ${sourceAddress}`]),
    ...(version === 3 && family === 'ipv4' && !router.checksumPseudoHeader
      ? ['checksum without pseudo-header']
      : [])
  ]
  return parts.length === 0 ? [] : [`  advertisements: ${parts.join('; ')}`]
}

function describeUnicast({ peers, ttl, checkSource }: Unicast): string {
  const names = peers.map(({ address, ttl: range }) =>
    range === null ? address : `${address} (TTL ${range.min} to ${range.max})`
  )
  const others = checkSource ? ', others are dropped' : ''
  return `unicast to ${names.join(', ')} with TTL ${ttl}${others}`
}

/** Rules of the election that are not as they are by default. */
function describeRules(router: VirtualRouterConfig): string[] {
  const rules = [
    ...(router.priority === OWNER_PRIORITY ? ['address owner'] : []),
    ...(router.preempt ? [] : ['never preempts']),
    ...(router.preemptDelayMs > 0
      ? [`preempts a weaker master after ${formatDuration(router.preemptDelayMs)}`]
      : []),
    ...(router.downTimerAdverts === 3
      ? []
      : [`master is down after ${router.downTimerAdverts} advertisements`]),
    ...(router.answersLowerPriority ? [] : ['does not answer a lower priority']),
    ...(router.yieldsWithAdvert ? ['advertises once more before it yields'] : []),
    ...(router.ignoresAdverts ? ['ignores other masters'] : []),
    ...(router.tracksInterface ? [] : [`interface ${router.interface} down is no fault`]),
    ...(router.promotesSecondaries ? [`promote_secondaries on ${router.interface}`] : []),
    ...(router.tellsPriority ? ['the notify FIFO is told of changes of priority'] : [])
  ]
  return rules.length === 0 ? [] : [`  ${rules.join('; ')}`]
}

const USUAL = { repeat: 5, delayMs: 5000, refreshRepeat: 1 }

function describeAnnouncements(announcements: Announcements): string[] {
  const { repeat, delayMs, refreshMs, refreshRepeat, gateway } = announcements
  const { lowerPriorityRepeat: again, lowerPriorityDelayMs: againMs } = announcements
  const { garpIntervalMs, gnaIntervalMs } = announcements
  const second = delayMs === 0 ? 'no second time' : `again after ${formatDuration(delayMs)}`
  const parts = [
    ...(repeat === USUAL.repeat && delayMs === USUAL.delayMs
      ? []
      : [`${repeat} at once, ${second}`]),
    ...(refreshMs === 0 ? [] : [`${refreshRepeat} every ${formatDuration(refreshMs)}`]),
    ...(again === repeat && againMs === delayMs
      ? []
      : [`${again} after a lower priority, delay ${formatDuration(againMs)}`]),
    ...(garpIntervalMs === 0 ? [] : [`${formatDuration(garpIntervalMs)} between two ARP`]),
    ...(gnaIntervalMs === 0 ? [] : [`${formatDuration(gnaIntervalMs)} between two NA`]),
    ...(gateway === null ? [] : [`until gateway ${gateway} answers`])
  ]
  return parts.length === 0 ? [] : [`  announcements: ${parts.join('; ')}`]
}

function describeTrack(track: Track, config: Config): string {
  const { kind, check, weight, reverse } = track
  const effect = `weight ${weight}${weight === 0 ? ' (fault)' : ''}${reverse ? ' reverse' : ''}`
  return `${kind === 'interface' ? 'interface' : 'check'} ${check}${describeCheck(track, config, effect)}`
}

function describeCheck({ kind, check }: Track, config: Config, effect: string): string {
  if (kind === 'interface') return `: ${effect}`
  if (kind === 'process') {
    const found = config.processes.find(({ name }) => name === check)
    if (!found) return `: ${effect}`
    const max = found.quorumMax === Infinity ? '' : ` to ${found.quorumMax}`
    const more = { exact: '', partial: ' …', initial: '…' }[found.parameterMatch]
    const parameters = found.parameters === null ? '' : ` ${found.parameters}${more}`
    return ` (process ${found.process}${parameters}): ${effect}, ${found.quorum}${max} processes`
  }
  if (kind === 'file') {
    const found = config.files.find(({ name }) => name === check)
    const initial = found?.initial
    const written = initial
      ? `, at first ${initial.value}${initial.overwrites ? '' : ' if it is not there'}`
      : ''
    return ` (file ${found?.path ?? ''}${written}): ${effect}`
  }
  const script = config.scripts.find(({ name }) => name === check)
  const timed = kind === 'service' ? config.serviceCheck : script
  const timing = timed
    ? `, every ${formatDuration(timed.intervalMs)}, timeout ${formatDuration(timed.timeoutMs)}, ` +
      `fall ${timed.fall}, rise ${timed.rise}`
    : ''
  const initFail = script?.initFail === true ? ', failed at first' : ''
  return `${script ? ` (${describeCommand(script)})` : ''}: ${effect}${timing}${initFail}`
}

function describeCommand({ command, user, group }: Command): string {
  const account = user === null ? '' : ` as ${user}${group === null ? '' : `:${group}`}`
  return `${command.join(' ')}${account}`
}

function describeNotify(notify: Notify): string[] {
  const events = [
    ['master', notify.master],
    ['backup', notify.backup],
    ['fault', notify.fault],
    ['stop', notify.stop],
    ['deleted', notify.deleted],
    ['every change', notify.any],
    ['a lower priority heard as master', notify.masterRxLowerPriority]
  ] as const
  return events.flatMap(([event, command]) =>
    command === null ? [] : [`  notify on ${event}: ${describeCommand(command)}`]
  )
}

function describeGroup(group: SyncGroup, config: Config): string[] {
  const weights = group.tracksWeights ? '; weights of checks count' : ''
  return [
    `sync group ${group.name}: ${group.members.join(', ')}${weights}`,
    ...group.track.map((track) => `  ${describeTrack(track, config)}`),
    ...describeNotify(group.notify)
  ]
}

function describeProcess(election: ElectionConfig): string[] {
  const { startupDelayMs, delayAfterBootMs, notifyFifo: fifo } = election
  const { nice, realtimePriority, lockMemory, logUnknownVrids } = election
  const parts = [
    `nice ${nice}`,
    realtimePriority === null ? 'no real-time priority' : `SCHED_RR ${realtimePriority}`,
    ...(lockMemory ? ['memory locked'] : []),
    ...(startupDelayMs === 0
      ? []
      : [`elections begin ${formatDuration(startupDelayMs)} after the start`]),
    ...(delayAfterBootMs === 0
      ? []
      : [`elections begin ${formatDuration(delayAfterBootMs)} after the machine's start`]),
    ...(logUnknownVrids ? ['unknown VRIDs are logged'] : [])
  ]
  const delays = election.linkDelays.map(
    ({ interface: name, downMs, upMs }) =>
      `  interface ${name}: down counts after ${formatDuration(downMs)}, up after ${formatDuration(upMs)}`
  )
  const reader = fifo?.reader ? `, read by ${describeCommand(fifo.reader)}` : ''
  return [
    `elections: ${parts.join(', ')}`,
    ...delays,
    ...(fifo === null ? [] : [`  notify FIFO ${fifo.path}${ownerOf(fifo)}${reader}`])
  ]
}

function ownerOf({ user, group }: NotifyFifo): string {
  if (user === null) return ''
  return ` of ${user}${group === null ? '' : `:${group}`}`
}

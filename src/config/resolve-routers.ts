import { familyOf } from './addresses.js'
import type { Family } from './addresses.js'
import { splitCommand } from './command.js'
import type {
  ValidAnnouncements,
  ValidFileCheck,
  ValidNotify,
  ValidProgram,
  ValidTrack
} from './check-schema.js'
import { decodeKey } from './hmac-key.js'
import { defaultLeaseMs } from './lease.js'
import type {
  Announcements,
  Authentication,
  Command,
  FileCheck,
  Notify,
  ProcessCheck,
  Role,
  ScriptCheck,
  ServiceCheck,
  SyncGroup,
  Track,
  Unicast,
  VirtualAddress,
  VirtualRouterConfig
} from './model.js'
import { SERVICE_CHECK } from './router-schema.js'
import type { ValidSyncGroup, ValidVirtualAddress, ValidVirtualRouter } from './router-schema.js'
import type { ValidConfig } from './schema.js'

/** PASS authentication has eight bytes on the wire (RFC 2338 section 5.3.6.1); keepalived cuts there. */
export const PASSWORD_LENGTH = 8

/** Interval of the service check when the configuration names none. */
const DEFAULT_SERVICE_INTERVAL_MS = 2000

/** Multicast groups of VRRP (RFC 9568 section 5.1). */
export const MULTICAST_GROUPS: Readonly<Record<Family, string>> = {
  ipv4: '224.0.0.18',
  ipv6: 'ff02::12'
}

/** RFC 9568 section 6.1: the owner of the addresses has this priority. */
export const OWNER_PRIORITY = 255

/** keepalived's smallest freshness window. */
const MIN_WINDOW_MS = 5000
const MAX_WINDOW_MS = 300_000

/** What `resolveRouters` needs besides the configuration. */
export interface RouterResolution {
  readonly role: Role | null
  /** Absolute paths of programs, by the word that the configuration has for them. */
  readonly programs: ReadonlyMap<string, string>
  /** Texts of HMAC keys that are in files, by path. */
  readonly keyFiles: ReadonlyMap<string, string>
}

/** The parts of the model that elections are made of. */
export interface Elections {
  readonly virtualRouters: readonly VirtualRouterConfig[]
  readonly syncGroups: readonly SyncGroup[]
  readonly scripts: readonly ScriptCheck[]
  readonly processes: readonly ProcessCheck[]
  readonly files: readonly FileCheck[]
  readonly serviceCheck: ServiceCheck | null
}

/** Makes elections and their checks from a configuration whose references have been checked. Pure. */
export function resolveRouters(valid: ValidConfig, resolution: RouterResolution): Elections {
  return new Resolver(valid, resolution).elections()
}

/** The program of a notification or reader as it is run. Pure. */
export function commandOf(
  program: ValidProgram,
  valid: Pick<ValidConfig, 'script_user' | 'script_group'>,
  programs: ReadonlyMap<string, string>
): Command {
  const isPlain = typeof program === 'string' || Array.isArray(program)
  const [word = '', ...args] = splitCommand(isPlain ? program : program.command)
  const own: { user?: string | undefined; group?: string | undefined } = isPlain ? {} : program
  return {
    command: [programs.get(word) ?? word, ...args],
    user: own.user ?? valid.script_user ?? null,
    group: own.group ?? (own.user === undefined ? valid.script_group : undefined) ?? null
  }
}

class Resolver {
  readonly #valid: ValidConfig
  readonly #resolution: RouterResolution

  constructor(valid: ValidConfig, resolution: RouterResolution) {
    this.#valid = valid
    this.#resolution = resolution
  }

  elections(): Elections {
    const { virtual_routers: routers, sync_groups: groups } = this.#valid
    const tracks = [...Object.values(routers), ...Object.values(groups)].flatMap(
      ({ track }) => track
    )
    const tracked = new Set(tracks.map(({ check }) => check))
    const checks = Object.entries(this.#valid.checks).filter(([name]) => tracked.has(name))
    return {
      virtualRouters: Object.entries(routers).map(([name, router]) => this.#router(name, router)),
      syncGroups: Object.entries(groups).map(([name, group]) => this.#group(name, group)),
      scripts: checks.flatMap(([name, check]) => {
        if (check.type !== undefined && check.type !== 'script') return []
        const { command, user, group } = check
        return {
          name,
          ...this.#command({ command, user, group }),
          initFail: check.init_fail,
          intervalMs: check.interval,
          timeoutMs: check.timeout ?? check.interval,
          rise: check.rise,
          fall: check.fall
        }
      }),
      processes: checks.flatMap(([name, check]) =>
        check.type === 'process'
          ? {
              name,
              process: check.process,
              parameters: check.parameters ?? null,
              parameterMatch: check.param_match,
              fullCommand: check.full_command || check.parameters !== undefined,
              quorum: check.quorum_max === 0 ? 0 : check.quorum,
              quorumMax: check.quorum_max ?? Infinity,
              terminateDelayMs: check.terminate_delay,
              forkDelayMs: check.fork_delay,
              intervalMs: check.interval
            }
          : []
      ),
      files: checks.flatMap(([name, check]) =>
        check.type === 'file' ? { name, path: check.path, initial: initialOf(check) } : []
      ),
      serviceCheck: serviceCheckOf(tracks)
    }
  }

  #router(name: string, router: ValidVirtualRouter): VirtualRouterConfig {
    const { role } = this.#resolution
    const priority = this.#priorityOf(router, role)
    if (priority === undefined) throw new RangeError(`no priority for virtual router ${name}`)
    const addresses = router.addresses.map(addressOf)
    const family = familyOf(addresses[0]?.address ?? '') ?? 'ipv4'
    const version = router.version ?? (family === 'ipv6' ? 3 : 2)
    const isOwner = priority === OWNER_PRIORITY
    const preempt = router.preempt || isOwner
    const delays = preempt && !isOwner
    const timing = {
      version,
      advertIntervalMs: router.advert_interval,
      downTimerAdverts: router.down_timer_adverts
    }
    const partner = role === null ? undefined : this.#priorityOf(router, otherRole(role))
    const lease =
      router.address_lease ?? defaultLeaseMs({ ...timing, partnerPriority: partner ?? priority })
    return {
      name,
      interface: router.interface,
      vrid: router.vrid,
      family,
      priority,
      initialState: initialStateOf(router, role, priority),
      ...timing,
      authentication: this.#authentication(router, version),
      checksumPseudoHeader: router.checksum === 'pseudo_header',
      addresses,
      excludedAddresses: router.excluded_addresses.map(addressOf),
      sourceAddress: router.source_address ?? null,
      multicastGroup: router.multicast_group ?? MULTICAST_GROUPS[family],
      unicast: unicastOf(router.unicast),
      preempt,
      preemptDelayMs: delays ? router.preempt_delay : 0,
      answersLowerPriority: router.lower_prio_advert,
      yieldsWithAdvert: router.higher_prio_advert,
      ignoresAdverts: router.owner_ignore_adverts && isOwner,
      tracksInterface: router.track_primary,
      promotesSecondaries: router.promote_secondaries,
      announcements: announcementsOf(router.announcements),
      track: router.track.map((track) => this.#track(track)),
      notify: this.#notify(router.notify),
      tellsPriority: router.notify_priority_changes,
      handOver: router.hand_over === 'keepalived' ? 'keepalived' : 'make-before-break',
      addressLeaseMs: lease === 'off' ? null : lease
    }
  }

  #priorityOf(router: ValidVirtualRouter, role: Role | null): number | undefined {
    const own = router.priority
    if (typeof own === 'number') return own
    if (role === null) return undefined
    return own?.[role] ?? this.#valid.roles?.[role]?.priority
  }

  #authentication(router: ValidVirtualRouter, version: 2 | 3): Authentication | null {
    const { authentication } = router
    if (authentication === undefined) return null
    if (authentication.type === 'pass') {
      // VRRPv3 has no field for it (RFC 9568 section 5.2); keepalived leaves it out too.
      if (version === 3) return null
      return { type: 'pass', password: authentication.password.slice(0, PASSWORD_LENGTH) }
    }
    const window = Math.max(MIN_WINDOW_MS, 3 * Math.floor(router.advert_interval / 1000) * 1000)
    return {
      type: 'hmac',
      keys: authentication.keys.map(({ id, key }) => {
        const path = key.startsWith('file:') ? key.slice('file:'.length) : null
        const text = path === null ? key : (this.#resolution.keyFiles.get(path) ?? '')
        const decoded = decodeKey(text)
        if (!decoded.ok) throw new RangeError(`HMAC key ${id} ${decoded.reason}`)
        return { id, secret: decoded.bytes }
      }),
      mode: authentication.mode,
      antiReplay: authentication.anti_replay,
      windowMs: authentication.window ?? Math.min(MAX_WINDOW_MS, window)
    }
  }

  #group(name: string, group: ValidSyncGroup): SyncGroup {
    return {
      name,
      members: group.members,
      tracksWeights: group.tracking_weight,
      track: group.track.map((track) => this.#track(track)),
      notify: this.#notify(group.notify)
    }
  }

  #track({ check, interface: device, weight, reverse }: ValidTrack): Track {
    if (device !== undefined) return { kind: 'interface', check: device, weight, reverse }
    if (check === undefined) throw new RangeError('a track entry without check or interface')
    const kind = check === SERVICE_CHECK ? 'service' : (this.#valid.checks[check]?.type ?? 'script')
    return { kind, check, weight, reverse }
  }

  #notify(notify: ValidNotify): Notify {
    const command = (program: ValidProgram | undefined) =>
      program === undefined ? null : this.#command(program)
    return {
      master: command(notify.master),
      backup: command(notify.backup),
      fault: command(notify.fault),
      stop: command(notify.stop),
      deleted: command(notify.deleted),
      any: command(notify.any),
      masterRxLowerPriority: command(notify.master_rx_lower_pri)
    }
  }

  #command(program: ValidProgram): Command {
    return commandOf(program, this.#valid, this.#resolution.programs)
  }
}

function otherRole(role: Role): Role {
  return role === 'master' ? 'backup' : 'master'
}

/**
 * keepalived clears nopreempt and preempt_delay in an instance with state MASTER; one `tsha.yaml` is for
 * both directors, so there they make the state BACKUP, as keepalived's manual wants it. Without role
 * and state keepalived derives the state from the priority.
 */
function initialStateOf(router: ValidVirtualRouter, role: Role | null, priority: number): Role {
  if (priority === OWNER_PRIORITY) return router.state ?? 'master'
  if (!router.preempt || router.preempt_delay > 0) return 'backup'
  return router.state ?? role ?? 'backup'
}

function addressOf(written: ValidVirtualAddress): VirtualAddress {
  const isPlain = !('no_track' in written)
  const options = isPlain ? undefined : written
  const { address, prefixLength: own } = isPlain ? written : written.address
  // The kernel keeps one prefix length for both ends: the peer's, where it has one.
  const prefixLength = options?.peer?.hasPrefix === true ? options.peer.prefixLength : own
  return {
    address,
    prefixLength,
    interface: options?.interface ?? null,
    broadcast: options?.broadcast ?? null,
    label: options?.label ?? null,
    scope: options?.scope ?? null,
    peer: options?.peer?.address ?? null,
    noPrefixRoute: options?.noprefixroute ?? false,
    // keepalived: the machine is not to speak from what is no network.
    isDeprecated: options?.deprecated ?? (address.includes(':') && prefixLength === 128),
    noTrack: options?.no_track ?? false
  }
}

function initialOf({ init_file: written }: ValidFileCheck): FileCheck['initial'] {
  return written ? { value: written.value, overwrites: written.overwrite } : null
}

function unicastOf(unicast: ValidVirtualRouter['unicast']): Unicast | null {
  if (unicast === undefined) return null
  return {
    peers: unicast.peers.map((peer) =>
      typeof peer === 'string'
        ? { address: peer, ttl: null }
        : {
            address: peer.address,
            ttl: isAnyTtl(peer) ? null : { min: peer.min_ttl, max: peer.max_ttl }
          }
    ),
    ttl: unicast.ttl,
    checkSource: unicast.check_source
  }
}

function isAnyTtl(peer: { min_ttl: number; max_ttl: number }): boolean {
  return peer.min_ttl === 0 && peer.max_ttl === 255
}

function announcementsOf(valid: ValidAnnouncements): Announcements {
  return {
    repeat: valid.repeat,
    delayMs: valid.delay,
    refreshMs: valid.refresh,
    refreshRepeat: valid.refresh_repeat,
    lowerPriorityRepeat: valid.lower_prio_repeat ?? valid.repeat,
    lowerPriorityDelayMs: valid.lower_prio_delay ?? valid.delay,
    garpIntervalMs: valid.garp_interval,
    gnaIntervalMs: valid.gna_interval,
    gateway: valid.gateway ?? null
  }
}

function serviceCheckOf(tracks: readonly ValidTrack[]): ServiceCheck | null {
  const own = tracks.filter(({ check }) => check === SERVICE_CHECK)
  if (own.length === 0) return null
  const given = <Key extends 'interval' | 'timeout' | 'rise' | 'fall'>(key: Key) =>
    own.find((track) => track[key] !== undefined)?.[key]
  const intervalMs = given('interval') ?? DEFAULT_SERVICE_INTERVAL_MS
  return {
    intervalMs,
    timeoutMs: given('timeout') ?? intervalMs,
    rise: given('rise') ?? 1,
    fall: given('fall') ?? 1
  }
}

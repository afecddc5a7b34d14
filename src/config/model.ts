import type { AdminConfig } from '../admin/messages.js'
import type { ProxyConfig } from '../proxy/model.js'

/**
 * The one configuration model of tsha: what every front end (`tsha.yaml`, `keepalived.conf`,
 * `nginx.conf`) comes to, with all defaults filled in and every reference checked. All durations are
 * milliseconds.
 */

/** Which of the two directors this one is. */
export type Role = 'master' | 'backup'

/** How a director gives its addresses away when its service check fails. */
export type HandOver =
  /** Advertise priority 0 at once, keep the addresses until the new master is heard. */
  | 'make-before-break'
  /** Lower the priority and wait for the partner's Master_Down_Interval. */
  | 'keepalived'

/** A program with its arguments, and whom it runs as. */
export interface Command {
  /** Program and arguments; the program is an absolute path. */
  readonly command: readonly string[]
  /** Null stands for `keepalived_script` where that user exists, else for ours. */
  readonly user: string | null
  readonly group: string | null
}

/** How many results in a row change the status of a check. */
export interface Hysteresis {
  /** Consecutive passes that make a failed check pass. */
  readonly rise: number
  /** Consecutive failures that make a passed check fail. */
  readonly fall: number
}

/** A script that is run regularly; its exit status 0 is a pass. keepalived's `vrrp_script`. */
export interface ScriptCheck extends Command, Hysteresis {
  readonly name: string
  readonly intervalMs: number
  /** A script that runs longer has failed and is killed. */
  readonly timeoutMs: number
  /** Taken for failed until it has passed `rise` times. */
  readonly initFail: boolean
}

/** A check that passes while enough processes of a name run. keepalived's `vrrp_track_process`. */
export interface ProcessCheck {
  readonly name: string
  /** The program's name, its path, or with `parameters` what follows it. */
  readonly process: string
  /** The arguments, joined by blanks; null compares none of them. */
  readonly parameters: string | null
  /** How they are compared: all of them, the first ones, or the first ones and the beginning of the next. */
  readonly parameterMatch: 'exact' | 'partial' | 'initial'
  /** Compare the whole first argument (a path) rather than the name that the kernel keeps. */
  readonly fullCommand: boolean
  /** Fewest processes that pass. */
  readonly quorum: number
  /** Most processes that pass; Infinity for no limit. */
  readonly quorumMax: number
  /** How long the quorum has to be lost before the check fails. */
  readonly terminateDelayMs: number
  /** How long the quorum has to be there before the check passes. */
  readonly forkDelayMs: number
  readonly intervalMs: number
}

/** A number in a file; times a weight, it is added to the priority. keepalived's `vrrp_track_file`. */
export interface FileCheck {
  readonly name: string
  readonly path: string
  /** Written at our start, into a file that is not there or into any; null writes nothing. */
  readonly initial: { readonly value: number; readonly overwrites: boolean } | null
}

/** The check of our own proxy: a request through its listener, and the workers' liveness. */
export interface ServiceCheck extends Hysteresis {
  readonly intervalMs: number
  readonly timeoutMs: number
}

/** What a virtual router or a sync group follows. */
export interface Track {
  readonly kind: 'service' | 'script' | 'process' | 'file' | 'interface'
  /** Name of the check; for `interface` the interface's, for `service` just that. */
  readonly check: string
  /**
   * Added to the priority: negative while the check fails, positive while it passes; -253 to 253. With
   * 0 a failure is a fault: the virtual router leaves the election. For a file the factor of its
   * number, -254 to 254; with 0 any number but 0 is a fault.
   */
  readonly weight: number
  /** The weight is subtracted where it would be added; with weight 0 a pass is the fault. */
  readonly reverse: boolean
}

/** A virtual address, and how `ip addr` adds it. */
export interface VirtualAddress {
  readonly address: string
  readonly prefixLength: number
  /** Where it is added; null for the virtual router's own interface. */
  readonly interface: string | null
  /** `ip addr`'s `brd`, an address or `+` or `-`; null leaves it out. */
  readonly broadcast: string | null
  readonly label: string | null
  /** `ip addr`'s `scope`, such as `global` or `link`; null leaves it to the kernel. */
  readonly scope: string | null
  /** The other end of a link between two, with the same prefix length; null for an ordinary address. */
  readonly peer: string | null
  /** `ip addr`'s `noprefixroute`. */
  readonly noPrefixRoute: boolean
  /** The machine does not speak from it by itself (`preferred_lft 0`). */
  readonly isDeprecated: boolean
  /** Somebody else may remove it: that is no reason to put it back. */
  readonly noTrack: boolean
}

/** One key of HMAC authentication. */
export interface HmacKey {
  /** 0 to 255, on the wire. */
  readonly id: number
  /** 32 to 64 bytes. */
  readonly secret: Uint8Array
}

export type Authentication =
  /** At most 8 bytes of ASCII, VRRPv2 only. */
  | { readonly type: 'pass'; readonly password: string }
  | {
      readonly type: 'hmac'
      /** The first one signs, all of them verify. */
      readonly keys: readonly HmacKey[]
      /** Whether unsigned advertisements pass, and whether ours are signed. */
      readonly mode: 'enforce' | 'permissive' | 'receive-only'
      readonly antiReplay: 'time' | 'monotonic'
      /** How far the sender's clock may be from ours. */
      readonly windowMs: number
    }

/** Another director that is spoken to by unicast. */
export interface UnicastPeer {
  readonly address: string
  /** Bounds of the TTL of its advertisements; null checks none. */
  readonly ttl: { readonly min: number; readonly max: number } | null
}

export interface Unicast {
  readonly peers: readonly UnicastPeer[]
  /** TTL, or hop limit, of what we send. */
  readonly ttl: number
  /** Only advertisements from `peers` are accepted. */
  readonly checkSource: boolean
}

/** Gratuitous ARP or unsolicited neighbour advertisements; keepalived's `garp_*` and `gna_*`. */
export interface Announcements {
  /** Frames for each address in one burst. */
  readonly repeat: number
  /** The second burst after becoming master; 0 sends none. */
  readonly delayMs: number
  /** Between two refreshes while we are master; 0 sends none. */
  readonly refreshMs: number
  readonly refreshRepeat: number
  /** Burst after an advertisement of lower priority. */
  readonly lowerPriorityRepeat: number
  readonly lowerPriorityDelayMs: number
  /** Between two gratuitous ARPs. */
  readonly garpIntervalMs: number
  /** Between two neighbour advertisements. */
  readonly gnaIntervalMs: number
  /** Asked from the virtual address until its answer comes to us; null asks nobody. */
  readonly gateway: string | null
}

/** Programs that are told what happened; null for none. keepalived's `notify_*`. */
export interface Notify {
  readonly master: Command | null
  readonly backup: Command | null
  readonly fault: Command | null
  readonly stop: Command | null
  readonly deleted: Command | null
  /** Told of each change. */
  readonly any: Command | null
  /** Told when a master hears an advertisement of lower priority. */
  readonly masterRxLowerPriority: Command | null
}

/** One VRRP election that this director takes part in. */
export interface VirtualRouterConfig {
  readonly name: string
  readonly interface: string
  /** 1 to 255. */
  readonly vrid: number
  readonly version: 2 | 3
  readonly family: 'ipv4' | 'ipv6'
  /** 1 to 255; 255 is the address owner. */
  readonly priority: number
  /** keepalived's `state`. */
  readonly initialState: Role
  /** Whole seconds in VRRPv2: 1000 to 255000. Whole centiseconds in VRRPv3: 10 to 40950. */
  readonly advertIntervalMs: number
  /** Advertisements that may be missed before the master is down: 1 to 100. */
  readonly downTimerAdverts: number
  /** Null sends none. */
  readonly authentication: Authentication | null
  /** Whether the checksum of VRRPv3 over IPv4 that we send covers a pseudo-header. */
  readonly checksumPseudoHeader: boolean
  /** 1 to 255 of them, of one family. */
  readonly addresses: readonly VirtualAddress[]
  /** Held like the others, but not in advertisements; of either family. */
  readonly excludedAddresses: readonly VirtualAddress[]
  /** Source of advertisements; null for the interface's own address. */
  readonly sourceAddress: string | null
  readonly multicastGroup: string
  /** Null sends to the multicast group. */
  readonly unicast: Unicast | null
  readonly preempt: boolean
  /** How long a weaker master is left alone before it is preempted. */
  readonly preemptDelayMs: number
  /** Whether a master answers an advertisement of lower priority with its own. */
  readonly answersLowerPriority: boolean
  /** Whether a master that yields to a higher priority advertises once more, so that it announces. */
  readonly yieldsWithAdvert: boolean
  /** Whether an address owner takes no notice of other masters. */
  readonly ignoresAdverts: boolean
  /** Whether an interface that is down is a fault. */
  readonly tracksInterface: boolean
  /** Whether the kernel is told to keep the other addresses of a network when its first one goes. */
  readonly promotesSecondaries: boolean
  readonly announcements: Announcements
  readonly track: readonly Track[]
  readonly notify: Notify
  /** Whether the pipe is told of changes of the effective priority. */
  readonly tellsPriority: boolean
  readonly handOver: HandOver
  /** Life of an address in the kernel, whole seconds, renewed at a third of it; null is for ever. */
  readonly addressLeaseMs: number | null
}

/** Virtual routers that change together. keepalived's `vrrp_sync_group`. */
export interface SyncGroup {
  readonly name: string
  readonly members: readonly string[]
  /** Whether the weights of the members' checks count. keepalived's `sync_group_tracking_weight`. */
  readonly tracksWeights: boolean
  readonly track: readonly Track[]
  readonly notify: Notify
}

/** A named pipe that gets one line for each change, and the program that reads it. */
export interface NotifyFifo {
  readonly path: string
  /** Whom the pipe belongs to when we make it; null is ourselves. */
  readonly user: string | null
  readonly group: string | null
  readonly reader: Command | null
}

/** How long an interface has to be down, and up again, before it counts. */
export interface LinkDelay {
  readonly interface: string
  readonly downMs: number
  readonly upMs: number
}

/** What holds for every election of this director. */
export interface ElectionConfig {
  /** From our start, and from the machine's, nothing is heard and nobody becomes master. */
  readonly startupDelayMs: number
  readonly delayAfterBootMs: number
  readonly notifyFifo: NotifyFifo | null
  readonly linkDelays: readonly LinkDelay[]
  /** Nice value of the director process; 0 leaves it. */
  readonly nice: number
  /** SCHED_RR priority, 1 to 99; null leaves the scheduler alone. */
  readonly realtimePriority: number | null
  /** Keeps the director process out of the swap. */
  readonly lockMemory: boolean
  readonly logUnknownVrids: boolean
}

/** Everything one director does. At least one of `virtualRouters` and `proxy` is there. */
export interface Config {
  readonly role: Role | null
  /** Name of this director in its log; keepalived's `router_id`. */
  readonly routerId: string
  readonly virtualRouters: readonly VirtualRouterConfig[]
  readonly syncGroups: readonly SyncGroup[]
  readonly election: ElectionConfig
  readonly scripts: readonly ScriptCheck[]
  readonly processes: readonly ProcessCheck[]
  readonly files: readonly FileCheck[]
  /** Present whenever a virtual router tracks `service`. */
  readonly serviceCheck: ServiceCheck | null
  readonly proxy: ProxyConfig | null
  /** Where the process id is written; null writes none. */
  readonly pidFile: string | null
  /** How administrators reach it; null when they do not. */
  readonly admin: AdminConfig | null
}

/** A configuration together with what its reader should be told. */
export interface LoadedConfig {
  readonly config: Config
  /** Everything that it was read from, included files too; as they were given. */
  readonly files: readonly string[]
  /** Directives that were read and have no meaning for tsha, such as `sendfile`, in order, once each. */
  readonly ignored: readonly string[]
  /** Sentences about what tsha does differently with this configuration, for the log at start. */
  readonly notes: readonly string[]
}

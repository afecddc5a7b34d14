import type { Milliseconds } from './timing.js'

/** One key of HMAC authentication (draft-cassen-vrrp-auth-hmac). */
export interface HmacKey {
  /** 0 to 255, on the wire. */
  readonly id: number
  /** HMAC-SHA256 of `data` under this key, 32 bytes. */
  readonly digest: (data: Uint8Array) => Uint8Array
}

/** How advertisements are authenticated. */
export type Authentication =
  | { readonly type: 'none' }
  /** VRRPv2 only; `data` has 8 bytes (RFC 2338 §5.3.6.1). */
  | { readonly type: 'pass'; readonly data: Uint8Array }
  | {
      readonly type: 'hmac'
      /** The first one signs, all of them verify. */
      readonly keys: readonly HmacKey[]
      /** Whether unsigned advertisements pass, and whether ours are signed. */
      readonly mode: 'enforce' | 'permissive' | 'receive-only'
      readonly antiReplay: 'time' | 'monotonic'
      /** How far the sender's clock may be from ours. */
      readonly window: Milliseconds
    }

/** Another director that is spoken to by unicast. */
export interface UnicastPeer {
  readonly address: string
  /** Bounds of the TTL of its advertisements; null checks none. */
  readonly ttl: { readonly min: number; readonly max: number } | null
}

/** Where advertisements go and come from. */
export type Destination =
  | { readonly kind: 'multicast'; readonly group: string }
  | {
      readonly kind: 'unicast'
      readonly peers: readonly UnicastPeer[]
      /** Only advertisements from `peers` are accepted. */
      readonly checkSource: boolean
      /** TTL, or hop limit, of what we send. */
      readonly ttl: number
    }

/** When the addresses are announced; how an announcement looks is the announcer's business. */
export interface AnnouncementTimes {
  /** From becoming master to the second burst; 0 sends none. */
  readonly delay: Milliseconds
  /** Between two refreshes while we are master; 0 sends none. */
  readonly refresh: Milliseconds
  /** From the answer to a lower priority to the second burst; 0 sends none. */
  readonly lowerPriorityDelay: Milliseconds
}

/** What does not change while a virtual router runs. */
export interface VirtualRouter {
  /** Name in the configuration and in the log. */
  readonly name: string
  /** 1 to 255. */
  readonly vrid: number
  readonly version: 2 | 3
  readonly family: 'ipv4' | 'ipv6'
  /** Advertisement_Interval; whole seconds in VRRPv2, whole centiseconds in VRRPv3. */
  readonly adverInterval: Milliseconds
  /** Advertisements that may be missed before the master is down; 3 in the RFCs. */
  readonly downTimerAdverts: number
  /** Our own address on the interface, the source of our advertisements; for IPv6 the link-local one. */
  readonly primaryAddress: string
  /** The virtual addresses, in the order of the configuration. */
  readonly addresses: readonly string[]
  readonly authentication: Authentication
  /** Whether the checksum of VRRPv3 over IPv4 that we send covers a pseudo-header. */
  readonly checksumPseudoHeader: boolean
  readonly destination: Destination
  /** Preempt_Mode (RFC 3768 §6.1). */
  readonly preempts: boolean
  /** How long a weaker master is left alone before it is preempted (keepalived). */
  readonly preemptDelay: Milliseconds
  /** Our configured priority is 255: the addresses are ours (RFC 3768 §6.4.1). */
  readonly isOwner: boolean
  /** As the owner, take no notice of other masters (keepalived's owner_ignore_adverts). */
  readonly ignoresAdverts: boolean
  /** The configuration says MASTER; only owners and members of groups behave differently for it. */
  readonly startsAsMaster: boolean
  /** Whether a master answers an advertisement of lower priority with its own. */
  readonly answersLowerPriority: boolean
  /** Whether a master that yields to a higher priority advertises once more, so that it announces. */
  readonly yieldsWithAdvert: boolean
  readonly announcements: AnnouncementTimes
  /** Whether a failing service is handed to the partner before the addresses are dropped. */
  readonly makesBeforeBreak: boolean
  /** Whether it changes only together with the other members of its sync group. */
  readonly isGrouped: boolean
}

/**
 * What the state machine knows of a virtual router: nothing that is secret, and nothing of how packets
 * look. It can be written down and read again.
 */
export type ElectionSettings = Omit<
  VirtualRouter,
  'authentication' | 'destination' | 'checksumPseudoHeader'
>

/** What changes from outside while a virtual router runs; part of every state. */
export interface Conditions {
  /** The effective priority: 1 to 254; the owner's is 255 and is never changed from outside. */
  readonly priority: number
  /** No check that tells of a fault of ours is failing. */
  readonly serviceUp: boolean
}

/** Not started, or stopped (RFC 3768 §6.4.1). */
export interface InitializeState extends Conditions {
  readonly name: 'initialize'
}

/** Why a virtual router cannot take part in the election. */
export type FaultCause =
  /** The interface is down, or has no carrier. */
  | 'link'
  /** The addresses cannot be held: `ip` fails, or somebody takes them away again and again. */
  | 'addresses'
  /** A check of weight 0 fails. */
  | 'tracker'
  /** Another member of the sync group has a fault. */
  | 'group'
  /** The interface has no address that advertisements could come from. */
  | 'source-address'

/** Started, but something keeps us out of the election (keepalived's FAULT). */
export interface FaultState extends Conditions {
  readonly name: 'fault'
  /** The first one of those that there are. */
  readonly cause: FaultCause
}

/** Another director is master, or nobody yet (RFC 3768 §6.4.2). */
export interface BackupState extends Conditions {
  readonly name: 'backup'
  /** End of the Master_Down_Timer. */
  readonly masterDownAt: Milliseconds
  /** The timer was shortened because the master advertised priority 0. */
  readonly masterResigned: boolean
  /** Master_Adver_Interval: that of the master heard last, ours until then (RFC 9568 §6.1). */
  readonly masterAdverInterval: Milliseconds
  /** Until when a weaker master is left alone; null until one is heard (preempt_delay). */
  readonly preemptAt: Milliseconds | null
  /** The timer has run out, and the rest of the sync group is not ready yet. */
  readonly wantsMaster: boolean
}

/** What a hand-over leads to. */
export type HandOverGoal =
  /** Our service is down: go on as backup, or as master if nobody takes over. */
  | 'backup'
  /** We are being stopped. */
  | 'initialize'

/** We have advertised priority 0 and keep the addresses until the new master is heard. */
export interface HandOver {
  readonly goal: HandOverGoal
  /** Until when an answer is awaited. */
  readonly until: Milliseconds
  /** The priority that we advertised before. */
  readonly priority: number
  /** What is heard until then of somebody no stronger may be a master's last word, and is no answer. */
  readonly lastWordsUntil: Milliseconds
}

/** Another owner of the addresses, with a lesser address than ours, which should give way to us. */
export interface Rival {
  /** Advertisements of ours that it still has to hear before it is held against it. */
  readonly patience: number
  readonly adverInterval: Milliseconds
  /** Set when `patience` is used up: if it is heard until then, we give way. */
  readonly watchedUntil: Milliseconds | null
}

/** We hold the addresses (RFC 3768 §6.4.3). */
export interface MasterState extends Conditions {
  readonly name: 'master'
  /** End of the Adver_Timer. */
  readonly adverAt: Milliseconds
  /** From when on a weaker director is answered again: a flood must not make us flood. */
  readonly answerAt: Milliseconds
  /** The second burst; null when there is none to come. */
  readonly secondBurst: { readonly at: Milliseconds; readonly kind: AnnouncementKind } | null
  /** When the addresses are next announced without a reason; null for never. */
  readonly refreshAt: Milliseconds | null
  readonly handOver: HandOver | null
  /** Only where we are the owner. */
  readonly rival: Rival | null
}

export type State = InitializeState | FaultState | BackupState | MasterState

/** Why an announcement is made; each has its own number of frames in the configuration. */
export type AnnouncementKind = 'mastery' | 'refresh' | 'lower-priority'

/** An advertisement that passed every receive check. */
export interface HeardEvent {
  readonly kind: 'advertisement'
  readonly priority: number
  readonly source: string
  /** Max_Advertise_Interval, more than 0; in VRRPv2 always ours. */
  readonly adverInterval: Milliseconds
}

/** What happens to a virtual router. */
export type Event =
  | { readonly kind: 'startup' }
  | { readonly kind: 'shutdown' }
  /** A deadline may have passed; early ones change nothing. */
  | { readonly kind: 'timer' }
  | HeardEvent
  /** The tracked checks changed the effective priority, or the service check its result. */
  | { readonly kind: 'conditions'; readonly conditions: Conditions }
  /** The first fault; also in the place of `startup`. */
  | { readonly kind: 'fault'; readonly cause: FaultCause }
  /** The last fault is over. */
  | { readonly kind: 'fault-cleared' }
  /** Somebody else removed the addresses from the interface, and they are not put back. */
  | { readonly kind: 'addresses-lost' }
  /** They were put back, or a sibling heard a weaker master: the segment may think otherwise. */
  | { readonly kind: 'announce-again'; readonly announcement: AnnouncementKind }
  /** Every member of the sync group wants to be master. */
  | { readonly kind: 'group-master' }
  /** Another member of the sync group is backup. */
  | { readonly kind: 'group-backup' }

/** The events that come neither from the network nor from time. */
export type Order = Exclude<Event, { readonly kind: 'timer' | 'advertisement' }>

/** What the driver has to do, in this order. */
export type Action =
  | { readonly kind: 'advertise'; readonly priority: number }
  | { readonly kind: 'add-addresses' }
  /** Frames that still wait to be sent are forgotten before. */
  | { readonly kind: 'remove-addresses' }
  /** One burst for every address: gratuitous ARP, or neighbour advertisements. */
  | { readonly kind: 'announce'; readonly announcement: AnnouncementKind }

/** Why a step did what it did: for the log, metrics and notifications. */
export const REASONS = [
  'startup',
  'shutdown',
  'master-down-expired',
  'priority-zero',
  'higher-priority',
  'lower-priority',
  'fault',
  'fault-cleared',
  'addresses-lost',
  'interval-adopted',
  'preempt-delay-begun',
  'preempt-delay-cancelled',
  'two-owners',
  'owner-lowered',
  'owner-restored',
  'wants-master',
  'group',
  'paused',
  'resumed-late',
  'hand-over-begun',
  'hand-over-answered',
  'hand-over-unanswered',
  'hand-over-cancelled'
] as const
export type Reason = (typeof REASONS)[number]

/** The outcome of one event. */
export interface Step {
  readonly state: State
  readonly actions: readonly Action[]
  /** Null when there is nothing worth telling. */
  readonly reason: Reason | null
}

import type { Milliseconds } from './timing.js'

/** What does not change while a virtual router runs. */
export interface VirtualRouter {
  /** Name in the configuration and in the log. */
  readonly name: string
  /** 1 to 255. */
  readonly vrid: number
  /** Advertisement_Interval; whole seconds in VRRPv2. */
  readonly adverInterval: Milliseconds
  /** Our own address on the interface, the source of our advertisements. */
  readonly primaryAddress: string
  /** The virtual addresses, in the order of the configuration. */
  readonly addresses: readonly string[]
  /** The PASS authentication data, 8 bytes; null sends and expects none. */
  readonly authData: Uint8Array | null
  /** Whether a failing service is handed to the partner before the addresses are dropped. */
  readonly makesBeforeBreak: boolean
}

/** What changes from outside while a virtual router runs; part of every state. */
export interface Conditions {
  /** The effective priority: 1 to 254. */
  readonly priority: number
  /** No check that tells of a fault of ours is failing. */
  readonly serviceUp: boolean
}

/** The interface is down, or the virtual router is not started or stopped (RFC 3768 §6.4.1). */
export interface InitializeState extends Conditions {
  readonly name: 'initialize'
}

/** Another director is master, or nobody yet (RFC 3768 §6.4.2). */
export interface BackupState extends Conditions {
  readonly name: 'backup'
  /** End of the Master_Down_Timer. */
  readonly masterDownAt: Milliseconds
  /** The timer was shortened because the master advertised priority 0. */
  readonly masterResigned: boolean
}

/** What a hand-over leads to. */
export type HandOverGoal =
  /** Our service is down: go on as backup, or as master if nobody takes over. */
  | 'backup'
  /** We are being stopped. */
  | 'initialize'

/** We hold the addresses (RFC 3768 §6.4.3). */
export interface MasterState extends Conditions {
  readonly name: 'master'
  /** End of the Adver_Timer. */
  readonly adverAt: Milliseconds
  /** From when on a weaker director is answered again: a flood must not make us flood. */
  readonly answerAt: Milliseconds
  /** When the announcement is repeated; null when it was. */
  readonly announceAt: Milliseconds | null
  /** Set while we have advertised priority 0 and keep the addresses until the new master is heard. */
  readonly handOver: { readonly until: Milliseconds; readonly goal: HandOverGoal } | null
}

export type State = InitializeState | BackupState | MasterState

/** What happens to a virtual router. */
export type Event =
  | { readonly kind: 'startup' }
  | { readonly kind: 'shutdown' }
  /** A deadline may have passed; early ones change nothing. */
  | { readonly kind: 'timer' }
  /** An advertisement that passed every receive check. */
  | { readonly kind: 'advertisement'; readonly priority: number; readonly source: string }
  /** The tracked checks changed the effective priority, or the service check its result. */
  | { readonly kind: 'conditions'; readonly conditions: Conditions }
  | { readonly kind: 'link-down' }
  | { readonly kind: 'link-up' }

/** What the driver has to do, in this order. */
export type Action =
  | { readonly kind: 'advertise'; readonly priority: number }
  | { readonly kind: 'add-addresses' }
  | { readonly kind: 'remove-addresses' }
  /** One burst of gratuitous ARP for every address. */
  | { readonly kind: 'announce' }

/** Why a step did what it did: for the log, metrics and notifications. */
export const REASONS = [
  'startup',
  'shutdown',
  'master-down-expired',
  'priority-zero',
  'higher-priority',
  'lower-priority',
  'link-down',
  'link-up',
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

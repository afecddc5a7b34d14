import type { SyncGroup, Track, VirtualRouterConfig } from '../config/model.js'

/** What is known of everything that is followed; what is missing in a map has no result yet. */
export interface Readings {
  /** Whether the check of our own proxy passes; null before its first result. */
  readonly service: boolean | null
  /** Whether a check passes, by its name. */
  readonly scripts: ReadonlyMap<string, boolean>
  readonly processes: ReadonlyMap<string, boolean>
  /** The number in a file, by the name of its check. */
  readonly files: ReadonlyMap<string, number>
  /** Whether an interface can carry packets, by its name. */
  readonly links: ReadonlyMap<string, boolean>
}

/** Why a virtual router has to stay out of the election. */
export interface Fault {
  readonly cause: Track['kind'] | 'own-interface'
  /** Name of the check or of the interface. */
  readonly name: string
  /** Nothing failed: its first result is awaited (keepalived's init state). */
  readonly isAwaited: boolean
  /** For the log, such as `script check-uplink fails`. */
  readonly what: string
}

/** What everything that is followed means for one virtual router. */
export interface RouterConditions {
  /** The effective priority: 1 to 254, and 255 for an address owner. */
  readonly priority: number
  /**
   * False while anything but a file lowers the priority, which tells of a failure of ours, and while
   * there are faults before which the addresses are handed over.
   */
  readonly serviceUp: boolean
  /** Empty when it may take part in the election. */
  readonly faults: readonly Fault[]
}

const LOWEST = 1
const HIGHEST = 254
const OWNER = 255
/** A file that lowers the priority by this much is a fault (keepalived). */
const FILE_FAULT = -254
const MOST_FROM_FILE = 253

/**
 * Joins the configured priority and everything that a virtual router follows, by the rules of
 * keepalived 2.2.7 (measured, `docs/tracking.md`):
 *
 * - a negative weight counts while its check fails, a positive one while it passes; `reverse` changes
 *   the sign of what is added; weight 0 makes a failure a fault, with `reverse` a pass;
 * - the number in a file is multiplied by the weight;
 * - without a result a weight changes nothing, and weight 0 is a fault that is awaited;
 * - weights mean nothing to an address owner, nor in a sync group unless it says that they do; what the
 *   group itself follows counts for every member.
 *
 * @param group the sync group that the virtual router is a member of; a fault of one member is the
 * group's business and not decided here
 * @param isTakingPart it is in the election already: what a reload has it follow besides, and what has no
 * result yet, is no reason to leave it
 */
export function conditionsOf(
  router: VirtualRouterConfig,
  group: SyncGroup | null,
  readings: Readings,
  isTakingPart = false
): RouterConditions {
  const isOwner = router.priority === OWNER
  const tracks = group ? tracksInGroup(router.track, group) : router.track
  const effects = tracks.filter((track) => !isOwner || isFaultOnly(track)).map(toEffect(readings))
  const faults = [
    ...ownInterfaceFault(router, readings),
    ...effects.map((effect) => effect.fault).filter((fault) => fault !== null)
  ].filter(({ isAwaited }) => !(isAwaited && isTakingPart))
  const hasFailed = effects.some((effect) => effect.isFailure)
  const total = effects.reduce((sum, effect) => sum + effect.added, router.priority)
  return {
    priority: isOwner ? OWNER : Math.min(HIGHEST, Math.max(LOWEST, total)),
    serviceUp: !hasFailed && !handsOverBeforeFault(router, faults),
    faults
  }
}

/**
 * Whether a master with these faults gives its addresses to the partner before it drops them: its own
 * network works, and `hand_over` is make_before_break. Otherwise it drops them at once, as keepalived.
 */
export function handsOverBeforeFault(
  router: VirtualRouterConfig,
  faults: readonly Fault[]
): boolean {
  return (
    faults.length > 0 &&
    router.handOver === 'make-before-break' &&
    !faults.some(({ cause, name }) => cause === 'own-interface' || name === router.interface)
  )
}

/** What one followed thing does to the virtual router. */
interface Effect {
  readonly added: number
  /** It lowers the priority because something of ours fails. */
  readonly isFailure: boolean
  readonly fault: Fault | null
}

const NO_EFFECT: Effect = { added: 0, isFailure: false, fault: null }

/** What member and group both follow counts once: as the group says, unless it is a fault for the member. */
function tracksInGroup(own: readonly Track[], group: SyncGroup): readonly Track[] {
  const isSame = (one: Track) => (other: Track) =>
    one.kind === other.kind && one.check === other.check
  const faults = own.filter(isFaultOnly)
  const weights = group.tracksWeights ? own.filter((track) => !isFaultOnly(track)) : []
  return [
    ...faults,
    ...weights.filter((track) => !group.track.some(isSame(track))),
    ...group.track.filter((track) => !faults.some(isSame(track)))
  ]
}

function isFaultOnly({ weight }: Track): boolean {
  return weight === 0
}

function toEffect(readings: Readings): (track: Track) => Effect {
  return (track) => (track.kind === 'file' ? fileEffect(track, readings) : effect(track, readings))
}

function effect(track: Track, readings: Readings): Effect {
  const { weight, reverse } = track
  const isUp = statusOf(track, readings)
  if (weight === 0) {
    if (isUp === null) return awaited(track)
    if (isUp !== reverse) return NO_EFFECT
    return faulty(track, isUp ? 'passes, which is a fault here' : 'fails')
  }
  if (isUp === null || isUp !== weight > 0) return NO_EFFECT
  const added = reverse ? -weight : weight
  return { added, isFailure: added < 0, fault: null }
}

function statusOf({ kind, check }: Track, readings: Readings): boolean | null {
  if (kind === 'service') return readings.service
  if (kind === 'script') return readings.scripts.get(check) ?? null
  if (kind === 'process') return readings.processes.get(check) ?? null
  return readings.links.get(check) ?? null
}

/** A file is arithmetic of an administrator or a program: unless it is a fault, nothing has failed. */
function fileEffect(track: Track, readings: Readings): Effect {
  const { check, weight, reverse } = track
  const value = readings.files.get(check) ?? null
  if (value === null) return weight === 0 ? awaited(track) : NO_EFFECT
  if (weight === 0) return (value !== 0) === reverse ? NO_EFFECT : faulty(track, `says ${value}`)
  const added = value * weight * (reverse ? -1 : 1)
  if (added <= FILE_FAULT) return faulty(track, `says ${value}, times its weight ${added}`)
  return { added: Math.min(MOST_FROM_FILE, added), isFailure: false, fault: null }
}

function ownInterfaceFault(router: VirtualRouterConfig, readings: Readings): readonly Fault[] {
  const { interface: name, tracksInterface } = router
  if (!tracksInterface || readings.links.get(name) !== false) return []
  return [{ cause: 'own-interface', name, isAwaited: false, what: `interface ${name} is down` }]
}

function awaited(track: Track): Effect {
  return faulty(track, 'has no result yet', true)
}

function faulty({ kind, check }: Track, verb: string, isAwaited = false): Effect {
  const subject = kind === 'service' ? 'the service check' : `${kind} ${check}`
  const what =
    kind === 'interface' && !isAwaited ? interfaceFault(check, verb) : `${subject} ${verb}`
  return { added: 0, isFailure: false, fault: { cause: kind, name: check, isAwaited, what } }
}

function interfaceFault(name: string, verb: string): string {
  return verb === 'fails' ? `interface ${name} is down` : `interface ${name} is up, a fault here`
}

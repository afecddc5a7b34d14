import type { SyncGroup, Track, VirtualRouterConfig } from '../../config/model.js'

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
  /** What the last result of a check said, by `resultKey`; for people only. */
  readonly results: ReadonlyMap<string, Result>
}

/** What is known of the present status of a check besides the status. */
export interface Result {
  /** Such as `connect ECONNREFUSED 127.0.0.1:80`; null when nothing is known. */
  readonly detail: string | null
  /** Since when the status is what it is, milliseconds since 1970. */
  readonly since: number | null
}

export function resultKey(kind: Track['kind'], check: string): string {
  return `${kind} ${check}`
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
  /** Everything that makes `priority` what it is, and every fault, in the order of the configuration. */
  readonly effects: readonly Effect[]
}

/** What one followed thing does to a virtual router at the moment. */
export interface Effect {
  /** Such as `the service check`, `script check-uplink`. */
  readonly what: string
  /** What it does, such as `fails`, `says 5`, `is down`; reads on from `what`. */
  readonly verb: string
  readonly detail: string | null
  /** Milliseconds since 1970; null when nobody knows. */
  readonly since: number | null
  /** To the priority; 0 for a fault. */
  readonly added: number
  readonly isFault: boolean
  /** A fault of which nothing has failed: its first result is awaited. */
  readonly isAwaited: boolean
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
  const counted = tracks.filter((track) => !isOwner || isFaultOnly(track))
  const outcomes = counted.map(toOutcome(readings)).map((outcome) => {
    const isForgiven = outcome.fault?.isAwaited === true && isTakingPart
    return isForgiven ? { ...outcome, fault: null } : outcome
  })
  const own = ownInterfaceFault(router, readings)
  const faults = [...own, ...outcomes.map(({ fault }) => fault).filter((fault) => fault !== null)]
  const hasFailed = outcomes.some(({ isFailure }) => isFailure)
  const total = outcomes.reduce((sum, { added }) => sum + added, router.priority)
  return {
    priority: isOwner ? OWNER : Math.min(HIGHEST, Math.max(LOWEST, total)),
    serviceUp: !hasFailed && !handsOverBeforeFault(router, faults),
    faults,
    effects: [
      ...own.map(({ name }) => linkEffect(name, readings)),
      ...counted.flatMap((track, i) => effectsOf(track, outcomes[i] ?? NO_OUTCOME, readings))
    ]
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

/** What one followed thing comes to for the election. */
interface Outcome {
  readonly added: number
  /** Reads on from the name of the thing. */
  readonly verb: string
  /** It lowers the priority because something of ours fails. */
  readonly isFailure: boolean
  readonly fault: Fault | null
}

const NO_OUTCOME: Outcome = { added: 0, verb: '', isFailure: false, fault: null }

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

function toOutcome(readings: Readings): (track: Track) => Outcome {
  return (track) =>
    track.kind === 'file' ? fileOutcome(track, readings) : outcome(track, readings)
}

function outcome(track: Track, readings: Readings): Outcome {
  const { weight, reverse } = track
  const isUp = statusOf(track, readings)
  if (weight === 0) {
    if (isUp === null) return awaited(track)
    if (isUp !== reverse) return NO_OUTCOME
    return faulty(track, isUp ? 'passes, which is a fault here' : 'fails')
  }
  if (isUp === null || isUp !== weight > 0) return NO_OUTCOME
  const added = reverse ? -weight : weight
  return { added, verb: isUp ? 'passes' : 'fails', isFailure: added < 0, fault: null }
}

function statusOf({ kind, check }: Track, readings: Readings): boolean | null {
  if (kind === 'service') return readings.service
  if (kind === 'script') return readings.scripts.get(check) ?? null
  if (kind === 'process') return readings.processes.get(check) ?? null
  return readings.links.get(check) ?? null
}

/** A file is arithmetic of an administrator or a program: unless it is a fault, nothing has failed. */
function fileOutcome(track: Track, readings: Readings): Outcome {
  const { check, weight, reverse } = track
  const value = readings.files.get(check) ?? null
  if (value === null) return weight === 0 ? awaited(track) : NO_OUTCOME
  if (weight === 0) return (value !== 0) === reverse ? NO_OUTCOME : faulty(track, `says ${value}`)
  const added = value * weight * (reverse ? -1 : 1)
  if (added <= FILE_FAULT) return faulty(track, `says ${value}, times its weight ${added}`)
  const most = Math.min(MOST_FROM_FILE, added)
  return { added: most, verb: `says ${value}`, isFailure: false, fault: null }
}

function ownInterfaceFault(router: VirtualRouterConfig, readings: Readings): readonly Fault[] {
  const { interface: name, tracksInterface } = router
  if (!tracksInterface || readings.links.get(name) !== false) return []
  return [{ cause: 'own-interface', name, isAwaited: false, what: `interface ${name} is down` }]
}

function awaited(track: Track): Outcome {
  return faulty(track, 'has no result yet', true)
}

function faulty(track: Track, verb: string, isAwaited = false): Outcome {
  const { kind, check } = track
  const what =
    kind === 'interface' && !isAwaited ? interfaceFault(check, verb) : `${subjectOf(track)} ${verb}`
  const fault: Fault = { cause: kind, name: check, isAwaited, what }
  return { added: 0, verb, isFailure: false, fault }
}

function interfaceFault(name: string, verb: string): string {
  return verb === 'fails' ? `interface ${name} is down` : `interface ${name} is up, a fault here`
}

function subjectOf({ kind, check }: Track): string {
  return kind === 'service' ? 'the service check' : `${kind} ${check}`
}

/** None where it changes nothing. */
function effectsOf(track: Track, outcome: Outcome, readings: Readings): readonly Effect[] {
  const { added, fault, verb } = outcome
  if (added === 0 && fault === null) return []
  const result = readings.results.get(resultKey(track.kind, track.check))
  return [
    {
      what: subjectOf(track),
      verb: track.kind === 'interface' ? linkVerb(verb) : verb,
      detail: result?.detail ?? null,
      since: result?.since ?? null,
      added,
      isFault: fault !== null,
      isAwaited: fault?.isAwaited ?? false
    }
  ]
}

/** An interface is up or down where a check passes or fails. */
function linkVerb(verb: string): string {
  return verb.replace(/^fails/, 'is down').replace(/^passes/, 'is up')
}

function linkEffect(name: string, { results }: Readings): Effect {
  return {
    what: `interface ${name}`,
    verb: 'is down',
    detail: null,
    since: results.get(resultKey('interface', name))?.since ?? null,
    added: 0,
    isFault: true,
    isAwaited: false
  }
}

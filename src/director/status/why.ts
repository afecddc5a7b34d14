import type { Reason, State } from '../../vrrp/model.js'
import { masterDownInterval } from '../../vrrp/timing.js'
import type { Effect } from '../elections/conditions.js'
import type { Moment } from './router-story.js'
import { clockTime, effectSentence, sentenceOf, type Telling } from './sentences.js'

/** What the present state of a virtual router is explained from. */
export interface WhyFacts extends Telling {
  readonly state: State
  /** Before all effects. */
  readonly basePriority: number
  /** Of this moment. */
  readonly effects: readonly Effect[]
  /** The other members of its sync groups, and their states. */
  readonly siblings: readonly Sibling[]
}

export interface Sibling {
  readonly name: string
  readonly state: State['name']
}

/** Steps within a state that are a part of why it lasts. */
const LASTING: Readonly<Record<State['name'], readonly Reason[]>> = {
  initialize: [],
  fault: [],
  backup: ['wants-master', 'paused'],
  master: ['hand-over-unanswered', 'hand-over-cancelled', 'two-owners']
}

const LOWEST = 1
const HIGHEST = 254

/** After these the sentence of the change names the master already. */
const NAMES_MASTER: ReadonlySet<Reason> = new Set<Reason>([
  'higher-priority',
  'two-owners',
  'owner-lowered',
  'hand-over-answered'
])

/**
 * Why a virtual router is in its present state: the causes as sentences, the nearest first. They say
 * only what this director can know; why a partner does something, only the partner knows.
 */
export function becauseOf(facts: WhyFacts): readonly string[] {
  const { story, state } = facts
  if (story.change === null) return ['the election has not begun yet']
  const change = changeCauses(story.change, facts)
  const lasting = lastingCauses(facts)
  if (state.name !== 'backup' || state.wantsMaster) return [...lasting, ...change]
  const standing = backupStanding(state, facts)
  return NAMES_MASTER.has(story.change.reason)
    ? [...lasting, ...change, ...standing]
    : [...lasting, ...standing, ...change]
}

/** What has happened since the last change and still holds. */
function lastingCauses(facts: WhyFacts): readonly string[] {
  const { story, state } = facts
  const find = (reason: Reason): Moment | undefined =>
    story.within.find((moment) => moment.reason === reason)
  if (state.name === 'master' && state.handOver !== null) {
    const begun = find('hand-over-begun')
    return begun ? [sentenceOf(begun, facts), ...handOverCauses(begun, facts)] : []
  }
  if (state.name === 'backup' && !state.wantsMaster && state.preemptAt !== null) {
    const begun = find('preempt-delay-begun')
    if (begun) return [sentenceOf(begun, facts)]
  }
  // The latest one says how it stands.
  const [latest] = story.within.filter(
    ({ reason }) => LASTING[state.name].includes(reason) && stillHolds(reason, state)
  )
  if (latest === undefined) return []
  const offered = latest.reason === 'hand-over-unanswered' ? find('hand-over-begun') : undefined
  return [
    sentenceOf(latest, facts),
    ...(offered ? handOverCauses(offered, facts) : []),
    ...(latest.reason === 'wants-master' ? siblingCauses('master', facts) : [])
  ]
}

/** Some reasons are over when the state says so. */
function stillHolds(reason: Reason, state: State): boolean {
  if (reason === 'wants-master') return state.name === 'backup' && state.wantsMaster
  if (reason === 'hand-over-unanswered') return !state.serviceUp
  return true
}

function changeCauses(change: Moment, facts: WhyFacts): readonly string[] {
  return [sentenceOf(change, facts), ...furtherCauses(change, facts)]
}

/** What is behind the last change. */
function furtherCauses(change: Moment, facts: WhyFacts): readonly string[] {
  const { story, now } = facts
  switch (change.reason) {
    case 'priority-zero':
      return resignedFrom(change, facts)
    case 'higher-priority':
      return lowered(change, facts)
    case 'hand-over-answered':
    case 'hand-over-unanswered': {
      const begun = story.before.find(({ reason }) => reason === 'hand-over-begun')
      return begun ? handOverCauses(begun, facts) : []
    }
    case 'fault':
      return faultCauses(change, facts)
    case 'fault-cleared': {
      const { previous } = story
      if (previous?.reason !== 'fault') return []
      const past = previous.effects.filter(({ isFault }) => isFault)
      return [
        sentenceOf(previous, facts).replace('we are out', 'we were out'),
        ...past.map((effect) => effectSentence(effect, false, now))
      ]
    }
    case 'group':
      return siblingCauses('master', facts)
    default:
      return []
  }
}

function resignedFrom({ resigned, master }: Moment, { now }: WhyFacts): readonly string[] {
  if (master === null || master.address !== resigned?.address) return []
  return [
    `until then it advertised priority ${master.priority}, last at ${clockTime(master.at, now)}`
  ]
}

/** Why the addresses were offered; who is being stopped needs no other reason. */
function handOverCauses(begun: Moment, facts: WhyFacts): readonly string[] {
  const { to } = begun
  if (to.name === 'master' && to.handOver?.goal === 'initialize') {
    return [`we were asked to stop at ${clockTime(begun.at, facts.now)}`]
  }
  return lowered(begun, facts)
}

/** What lowered our priority, or kept us from serving, when a step was taken. */
function lowered(moment: Moment, facts: WhyFacts): readonly string[] {
  const { effects } = moment
  const guilty = effects.filter(({ added, isFault }) => added <= 0 || isFault)
  return [
    ...guilty.map((effect) =>
      effectSentence(latestOf(effect, facts), isStill(effect, facts), facts.now)
    ),
    ...arithmetic(effects, moment.to.priority, facts)
  ]
}

function arithmetic(
  effects: readonly Effect[],
  priority: number,
  { basePriority, rules }: WhyFacts
): readonly string[] {
  const counted = effects.filter(({ added }) => added !== 0)
  const [only] = counted
  const sum = counted.reduce((total, { added }) => total + added, basePriority)
  // Another priority is configured, or wanted, than when it happened.
  if (Math.min(HIGHEST, Math.max(LOWEST, sum)) !== priority) return []
  if (only === undefined || rules.isOwner || !counted.some(({ added }) => added < 0)) return []
  return counted.length === 1
    ? [`it takes ${-only.added} from the priority ${basePriority}, so ${priority}`]
    : [`all that is followed makes the priority ${priority} instead of ${basePriority}`]
}

function faultCauses(change: Moment, facts: WhyFacts): readonly string[] {
  const { story, effects, now } = facts
  const present = effects.filter(({ isFault }) => isFault)
  const { previous } = story
  return [
    ...present.map((effect) => effectSentence(effect, true, now)),
    ...(change.to.name === 'fault' && change.to.cause === 'group'
      ? siblingCauses('not-fault', facts)
      : []),
    ...(previous?.reason === 'hand-over-answered' ? [sentenceOf(previous, facts)] : [])
  ]
}

/** The other members of the sync group that are not as they should be. */
function siblingCauses(wanted: 'master' | 'not-fault', { siblings }: WhyFacts): readonly string[] {
  return siblings
    .filter(({ state }) => (wanted === 'master' ? state !== 'master' : state === 'fault'))
    .map(
      ({ name, state }) =>
        `virtual router ${name} of the same sync group ${state === 'fault' ? 'has a fault' : `is ${state}`}`
    )
}

/** Why a backup does not take over at this moment. */
function backupStanding(
  state: Extract<State, { name: 'backup' }>,
  facts: WhyFacts
): readonly string[] {
  const { rules, story, now } = facts
  const { master } = story
  const interval = masterDownInterval(rules, state.priority, state.masterAdverInterval)
  const isHeard = master !== null && now.monotonic - master.at.monotonic <= interval
  if (state.masterResigned) return ['the master has resigned, and we take over unless another does']
  if (!isHeard) return ['no other master is heard; we take over if that stays so']
  const who = `${master.address} is master with priority ${master.priority}`
  if (master.priority > state.priority) return [`${who}, more than our ${state.priority}`]
  if (master.priority === state.priority) return [`${who}, the same as ours`]
  const weaker = `${who}, less than our ${state.priority}`
  if (!rules.preempts) return [`${weaker}, but nopreempt leaves it alone`]
  if (!state.serviceUp && rules.makesBeforeBreak) {
    return [`${weaker}, but we do not take over while something of ours fails`]
  }
  return [`${weaker}: it is left alone no longer than preempt_delay and our own wait last`]
}

function isStill(effect: Effect, { effects }: WhyFacts): boolean {
  return effects.some(({ what, verb }) => what === effect.what && verb === effect.verb)
}

/** With what is known of it now: the failure may have been told later than it counted. */
function latestOf(effect: Effect, { effects }: WhyFacts): Effect {
  return effects.find(({ what, verb }) => what === effect.what && verb === effect.verb) ?? effect
}

import type { FaultCause, State } from '../../vrrp/model.js'
import {
  masterDownInterval,
  OWNER_PRIORITY,
  type Milliseconds,
  type Timed
} from '../../vrrp/timing.js'
import type { Effect } from '../elections/conditions.js'
import type { HeardMaster, Instant, Moment, Story } from './router-story.js'

/** What does not change of a virtual router, as far as its sentences need it. */
export interface RouterRules extends Timed {
  readonly preempts: boolean
  readonly makesBeforeBreak: boolean
}

/** What a sentence about a step may need besides the step. */
export interface Telling {
  readonly rules: RouterRules
  readonly story: Story
  /** Times of another day are told with their date. */
  readonly now: Instant
}

/** What a fault is; which one of its kind, the effects say. */
const FAULT_TEXTS: Readonly<Record<FaultCause, string>> = {
  link: 'its interface is down or gone',
  addresses: 'the virtual addresses cannot be held',
  tracker: 'something that is followed with weight 0 keeps us out',
  group: 'another member of the sync group has a fault',
  'source-address': 'the source address of our advertisements is not there'
}

/**
 * One step of the state machine as a sentence: what happened, as far as this director can know it. In
 * lower case and without a final stop.
 */
export function sentenceOf(moment: Moment, telling: Telling): string {
  const at = clockTime(moment.at, telling.now)
  const { from, to } = moment
  const heard = describeHeard(moment.heard)
  switch (moment.reason) {
    case 'startup':
      return to.name === 'master'
        ? `we own the addresses (priority ${OWNER_PRIORITY}) and took them at the start, at ${at}`
        : `we were started at ${at} and listen before we take over`
    case 'shutdown':
      return from.name === 'master'
        ? `we were stopped at ${at} and gave the addresses up with priority 0`
        : `we were stopped at ${at}`
    case 'master-down-expired':
      return masterDown(moment, telling)
    case 'priority-zero':
      return to.name === 'master' && from.name !== 'master'
        ? resignation(moment.resigned, telling.now)
        : `${heard.who} advertised priority 0 at ${at}, and we said that we are master`
    case 'higher-priority':
      return `${heard.advertised} at ${at}, ${strongerThan(moment)}`
    case 'lower-priority':
      return `${heard.advertised} at ${at} and is no stronger than we are: we stay master`
    case 'fault':
      return fault(moment, at)
    case 'fault-cleared':
      return `the fault that kept us out of the election ended at ${at}; we listen before we take over`
    case 'addresses-lost':
      return `somebody removed our addresses from this machine at ${at}, so we gave them up with priority 0`
    case 'interval-adopted':
      return `${heard.who} advertises in another interval than ours, which counts since ${at}`
    case 'preempt-delay-begun':
      return `${heard.advertised} at ${at}, less than our ${to.priority}: preempt_delay leaves it alone for a while`
    case 'preempt-delay-cancelled':
      return `${heard.advertised} at ${at}, which ended the wait of preempt_delay`
    case 'two-owners':
      return to.name === 'backup'
        ? `${heard.who} owns the addresses as well (priority ${OWNER_PRIORITY}), and as its address is the greater one, we gave way at ${at}`
        : `${heard.who} advertised priority ${OWNER_PRIORITY} at ${at} as we do: two machines own the addresses`
    case 'owner-lowered':
      return `${heard.who} went on to advertise priority ${OWNER_PRIORITY} although it could hear us: we gave way at ${at}`
    case 'owner-restored':
      return `the other owner of the addresses was gone at ${at}: our priority is ${OWNER_PRIORITY} again`
    case 'wants-master':
      return `we could take over since ${at}, and wait until every member of the sync group can`
    case 'group':
      return `another member of the sync group is not master, so we gave the addresses up at ${at}`
    case 'paused':
      return paused(moment, at)
    case 'resumed-late':
      return `this process or machine stood still until ${at}, too short for a partner to take over`
    case 'hand-over-begun':
      return handOverBegun(to, at)
    case 'hand-over-answered':
      return `we handed the addresses over at ${at}: ${heard.advertised}`
    case 'hand-over-unanswered':
      return to.name === 'master'
        ? `nobody took the addresses when we offered them, so we went on as master at ${at}`
        : `nobody took the addresses when we were stopped; we gave them up at ${at}`
    case 'hand-over-cancelled':
      return `the reason for handing the addresses over ended at ${at}, before anybody took them`
  }
}

/** What one followed thing does, or did. */
export function effectSentence(effect: Effect, isPresent: boolean, now: Instant): string {
  const { what, verb, detail, since } = effect
  const told = isPresent ? verb : pastOf(verb)
  const at = since === null ? '' : sinceOf(wallTime(since, now), isPresent)
  return `${what} ${told}${at}${detail === null || detail === verb ? '' : `: ${detail}`}`
}

function sinceOf(time: string, isPresent: boolean): string {
  return isPresent ? ` since ${time}` : ` from ${time} on`
}

/** `12:03:11Z`, in UTC as in the log; with the date if it is not of today. */
export function clockTime({ wall }: Instant, now: Instant): string {
  return wallTime(wall, now)
}

function wallTime(wall: number, now: Instant): string {
  const [date = '', time = ''] = new Date(wall).toISOString().split('T')
  const [today = ''] = new Date(now.wall).toISOString().split('T')
  const clock = `${time.slice(0, 8)}Z`
  return date === today ? clock : `${date} ${clock}`
}

function formatSeconds(duration: Milliseconds): string {
  return `${Math.round(duration) / 1000} s`
}

function describeHeard(heard: HeardMaster | null): {
  readonly who: string
  readonly advertised: string
} {
  const who = heard?.address ?? 'another director'
  return { who, advertised: `${who} advertised priority ${heard?.priority ?? 'unknown'}` }
}

function strongerThan({ from, heard }: Moment): string {
  return heard?.priority === from.priority
    ? 'the same as ours, and its address is the greater one'
    : `more than our ${from.priority}`
}

/** Why somebody resigns, only itself knows. */
function resignation(resigned: HeardMaster | null, now: Instant): string {
  const who = resigned?.address ?? 'the master'
  const at = resigned === null ? '' : ` at ${clockTime(resigned.at, now)}`
  return `${who} advertised priority 0${at}: it gave the addresses up by itself (it was stopped, handed them over, or has a fault)`
}

/**
 * Nobody was heard for so long; or only somebody weaker, whose advertisements do not count. In a sync
 * group the timer ran out when this member wanted to be master.
 */
function masterDown(moment: Moment, { rules, story, now }: Telling): string {
  const { from, master } = story.before.find(({ reason }) => reason === 'wants-master') ?? moment
  const interval =
    from.name === 'backup'
      ? masterDownInterval(rules, from.priority, from.masterAdverInterval)
      : null
  const began = story.previous?.at ?? null
  if (master === null || (began !== null && master.at.monotonic < began.monotonic)) {
    const since = began === null ? '' : ` since ${clockTime(began, now)}, when we began to listen`
    return `no master was heard${since}`
  }
  const last = clockTime(master.at, now)
  const countedSince =
    from.name === 'backup' && interval !== null ? from.masterDownAt - interval : Infinity
  const isWeaker = rules.preempts && master.priority < from.priority
  // A millisecond for the time between the clock's two readings.
  if (isWeaker && master.at.monotonic > countedSince + 1) {
    return `we preempted ${master.address}: it advertised priority ${master.priority}, last at ${last}, less than our ${from.priority}`
  }
  const wait =
    interval === null ? '' : `, for longer than Master_Down_Interval (${formatSeconds(interval)})`
  return `nothing was heard of ${master.address} (priority ${master.priority}) since ${last}${wait}`
}

function fault({ from, to }: Moment, at: string): string {
  const text = to.name === 'fault' ? FAULT_TEXTS[to.cause] : 'a fault'
  return from.name === 'master'
    ? `we left the election at ${at} and gave the addresses up with priority 0: ${text}`
    : `we are out of the election since ${at}: ${text}`
}

function paused({ from, to }: Moment, at: string): string {
  const still = `this process or machine stood still until ${at}`
  if (to.name === 'initialize') return `${still}, while it was being stopped`
  return from.name === 'master'
    ? `${still}, longer than a partner waits: we gave the addresses up and listen first`
    : `${still}, so the master is waited for once more`
}

function handOverBegun(to: State, at: string): string {
  const offer = `we advertised priority 0 at ${at} and keep the addresses until another master is heard`
  const isStop = to.name === 'master' && to.handOver?.goal === 'initialize'
  return isStop ? `${offer}, because we are being stopped` : offer
}

const PAST: Readonly<Record<string, string>> = {
  fails: 'failed',
  passes: 'passed',
  says: 'said',
  has: 'had',
  is: 'was',
  are: 'were',
  cannot: 'could not',
  does: 'did',
  takes: 'took'
}

function pastOf(verb: string): string {
  const [first = '', ...others] = verb.split(' ')
  return [PAST[first] ?? first, ...others].join(' ')
}

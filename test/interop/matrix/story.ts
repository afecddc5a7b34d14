import type { Capture } from '../../netns/lab/capture.js'
import type { Lab } from '../../netns/lab/lab.js'
import { HEALTHY, type DirectorName } from './features.js'
import type { Speaker } from './speaker.js'

/** Two directors on one segment. */
export interface Pair {
  readonly lab: Lab
  readonly capture: Capture
  readonly director1: Speaker
  readonly director2: Speaker
}

/**
 * What the time of a takeover is counted from. A timer runs from an advertisement, so the moment of a
 * fault says little: a second passes between two of them.
 *
 * - `entered`: the director became backup, or as owner of the addresses master, by its own account
 * - `accepted`: the last advertisement that a backup of the winner's priority accepts
 * - `previous`: the last advertisement of the loser
 * - `heard`: the first advertisement of the loser after the act
 */
export type Anchor = 'entered' | 'accepted' | 'previous' | 'heard'

/** Something that happens to a pair, and what has to come of it. */
export interface Step {
  readonly name: string
  /** Resolves with the moment of the anchor `entered`, or of the disturbance. */
  readonly act: (pair: Pair) => Promise<number>
  /** Who is master in the end; whether it takes the mastership or had it before. */
  readonly winner: DirectorName
  readonly takes: boolean
  readonly anchor: Anchor
  /** The director that gives the mastership away: there tsha may be faster than keepalived. */
  readonly givenBy?: DirectorName
  /**
   * The director that is master and hears a stronger one: tsha has the last word. Of a sync group the
   * member that hears it first, for all of them; of one that is stopped each member.
   */
  readonly lastWord?: { readonly by: DirectorName; readonly of: 'one' | 'each' }
  /** The loser is dead, and what its addresses do is not compared. */
  readonly isKill?: boolean
}

export type StoryName = 'preempting' | 'nopreempt' | 'equal' | 'delayed' | 'grouped' | 'owner'

const start =
  (name: DirectorName) =>
  (pair: Pair): Promise<number> =>
    pair[name].start()

const stop =
  (name: DirectorName) =>
  (pair: Pair): Promise<number> =>
    pair[name].stop()

const kill =
  (name: DirectorName) =>
  (pair: Pair): Promise<number> =>
    pair[name].kill()

async function failService({ director1 }: Pair): Promise<number> {
  const at = Date.now()
  await director1.host.removeFile(HEALTHY)
  return at
}

async function restoreService({ director1 }: Pair): Promise<number> {
  const at = Date.now()
  await director1.host.writeFile(HEALTHY, '')
  return at
}

/** A script without weight puts the virtual router into the fault state, which it leaves as backup. */
async function endFault(pair: Pair): Promise<number> {
  const mark = pair.director1.entered.mark
  await restoreService(pair)
  return pair.director1.waitUntilEntry(mark)
}

async function cutLink({ lab }: Pair): Promise<number> {
  const at = Date.now()
  await lab.cutLink('director1')
  return at
}

async function healLink({ lab, director1 }: Pair): Promise<number> {
  const mark = director1.entered.mark
  await lab.heal('director1')
  return director1.waitUntilEntry(mark)
}

const FIRST = 'director1'
const SECOND = 'director2'
const TO_FIRST = { winner: FIRST, takes: true } as const
const BACK_TO_FIRST = { ...TO_FIRST, lastWord: { by: SECOND, of: 'one' } } as const
const TO_SECOND = { winner: SECOND, takes: true } as const
const STAYS_FIRST = { winner: FIRST, takes: false, anchor: 'entered' } as const
const STAYS_SECOND = { winner: SECOND, takes: false, anchor: 'entered' } as const

const START: readonly Step[] = [
  { name: 'start alone', act: start(FIRST), ...TO_FIRST, anchor: 'entered' },
  { name: 'start beside a master', act: start(SECOND), ...STAYS_FIRST }
]

const STOP: Step = {
  ...{ name: 'graceful stop', act: stop(FIRST), ...TO_SECOND, anchor: 'accepted' },
  givenBy: FIRST
}
const KILL: Step = {
  ...{ name: 'kill', act: kill(FIRST), ...TO_SECOND, anchor: 'accepted' },
  isKill: true
}
const LINK_CUT: Step = { name: 'link cut', act: cutLink, ...TO_SECOND, anchor: 'accepted' }
const LINK_BACK: Step = { name: 'link back', act: healLink, ...BACK_TO_FIRST, anchor: 'entered' }
const SERVICE_FAILS: Step = {
  ...{ name: 'service fails', act: failService, ...TO_SECOND, anchor: 'accepted' },
  givenBy: FIRST
}
const SERVICE_BACK: Step = {
  ...{ name: 'service back', act: restoreService, ...BACK_TO_FIRST, anchor: 'previous' }
}

const RETURN: Step = {
  ...{ name: 'start again', act: start(FIRST), ...BACK_TO_FIRST, anchor: 'entered' }
}
const DELAYED_RETURN: Step = { ...RETURN, anchor: 'heard' }

/** Nobody preempts: the first one takes over when the second one stops. */
function staying(stopped: Pick<Step, 'lastWord'>): readonly Step[] {
  return [
    ...START,
    KILL,
    { name: 'start beside a weaker master', act: start(FIRST), ...STAYS_SECOND },
    {
      ...{ name: 'graceful stop', act: stop(SECOND), ...TO_FIRST, anchor: 'accepted' },
      ...{ givenBy: SECOND, ...stopped }
    },
    { name: 'start again', act: start(SECOND), ...STAYS_FIRST },
    LINK_CUT,
    { name: 'link back', act: healLink, ...STAYS_SECOND }
  ]
}

/** What happens to a pair, step by step. */
export const STORIES: Readonly<Record<StoryName, readonly Step[]>> = {
  preempting: [
    ...START,
    ...[SERVICE_FAILS, SERVICE_BACK, LINK_CUT, LINK_BACK],
    ...[STOP, RETURN, KILL, { ...RETURN, name: 'start after the kill' }]
  ],
  grouped: [
    ...START,
    ...[SERVICE_FAILS, { ...SERVICE_BACK, act: endFault, anchor: 'entered' as const }],
    ...[LINK_CUT, LINK_BACK],
    ...[STOP, RETURN, KILL, { ...RETURN, name: 'start after the kill' }]
  ],
  owner: [
    ...START,
    LINK_CUT,
    LINK_BACK,
    STOP,
    RETURN,
    KILL,
    { ...RETURN, name: 'start after the kill' }
  ],
  nopreempt: staying({ lastWord: { by: SECOND, of: 'each' } }),
  // The second one has the greater address: the first one is not the stronger of the two.
  equal: staying({}),
  delayed: [
    ...START,
    ...[KILL, DELAYED_RETURN, LINK_CUT, { ...LINK_BACK, anchor: 'heard' as const }],
    ...[STOP, { ...DELAYED_RETURN, name: 'start after the stop' }]
  ]
}

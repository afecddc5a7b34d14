// lane: patient - records and replays 250 simulated lives
import t from 'tap'
import { FlightRecorder, RECORDER_BOUNDS } from '../../../src/director/recording/flight-recorder.js'
import { parseRecording, type Placed } from '../../../src/director/recording/recording.js'
import { replay } from '../../../src/director/recording/replay.js'
import type { ElectionSettings, State } from '../../../src/vrrp/model.js'
import { GROUP_MUTANTS, MUTANTS } from '../../vrrp/mutants/mutants.js'
import { simulateGroups } from '../../vrrp/simulation/groups.js'
import { SHIPPED, type Machine } from '../../vrrp/simulation/machine.js'
import { simulate } from '../../vrrp/simulation/simulate.js'

/** A shared machine may take several times as long. */
t.setTimeout(400_000)

/** `TSHA_LONG=1` takes thousands. */
const isLong = process.env.TSHA_LONG !== undefined
const RUNS = isLong ? 4000 : 200
const GROUP_RUNS = isLong ? 1000 : 50

/** The shipped machine, with a flight recorder that is told of every step as a speaker tells it. */
class RecordedMachine implements Machine {
  readonly nextDeadline = SHIPPED.nextDeadline
  readonly #recorder: FlightRecorder
  readonly #lives = new Map<ElectionSettings, { settings: ElectionSettings; state: State }>()
  #now = 0

  constructor() {
    this.#recorder = new FlightRecorder(
      { version: '1.2.3', role: null, routerId: 'simulated', pid: 1 },
      { now: () => this.#now, wallTime: () => this.#now },
      (message) => {
        throw new Error(message)
      },
      { ...RECORDER_BOUNDS, segmentBytes: 16 * 1024 }
    )
  }

  readonly step: Machine['step'] = (router, from, event, now) => {
    this.#now = now
    const life = this.#lives.get(router)
    const settings = life?.settings ?? { ...router, name: `host ${this.#lives.size}` }
    // A host that was killed begins anew.
    if (life?.state !== from) this.#recorder.began(settings, from)
    const outcome = SHIPPED.step(router, from, event, now)
    this.#recorder.stepped(settings, from, event, outcome, now)
    this.#lives.set(router, { settings, state: outcome.state })
    return outcome
  }

  recorded(): readonly Placed[] {
    const { entries, problems } = parseRecording(this.#recorder.dump().join('\n'))
    if (problems.length > 0) throw new Error(JSON.stringify(problems))
    return entries
  }
}

function recordedLife(seed: number): readonly Placed[] {
  const machine = new RecordedMachine()
  simulate(seed, machine)
  return machine.recorded()
}

function recordedGroups(seed: number): readonly Placed[] {
  const machine = new RecordedMachine()
  simulateGroups(seed, machine)
  return machine.recorded()
}

void t.test('every recorded life replays to the recorded states', (t) => {
  let steps = 0
  const wrong: unknown[] = []
  const lives = [
    ...Array.from({ length: RUNS }, (_, i) => () => recordedLife(i + 1)),
    ...Array.from({ length: GROUP_RUNS }, (_, i) => () => recordedGroups(i + 1))
  ]
  lives.forEach((life, i) => {
    const entries = life()
    const { difference, problems, subjects } = replay(entries)
    if (difference !== null || problems.length > 0) wrong.push({ i, difference, problems })
    const recorded = entries.filter(({ entry }) => entry.type === 'step').length
    const agreed = subjects.reduce((sum, subject) => sum + subject.agreed, 0)
    if (agreed !== recorded) wrong.push({ i, agreed, recorded })
    steps += agreed
  })
  t.same(wrong, [])
  t.comment(`${lives.length} lives, ${steps} steps`)
  t.ok(steps > 100_000, 'and they are not short')
  t.end()
})

void t.test('a replay on a machine that is broken finds the difference', (t) => {
  const lives = Array.from({ length: 15 }, (_, i) => recordedLife(i + 1))
  const groups = Array.from({ length: 15 }, (_, i) => recordedGroups(i + 1))
  for (const { name, machine } of [...MUTANTS, ...GROUP_MUTANTS]) {
    const isFound = [...lives, ...groups].some(
      (entries) => replay(entries, machine.step).difference !== null
    )
    t.ok(isFound, name)
  }
  t.end()
})

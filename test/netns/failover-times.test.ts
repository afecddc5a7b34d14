import t, { type Test } from 'tap'
import { Lab, VIP } from './lab/lab.js'
import { replayDirector } from './lab/recording.js'
import { cannotRun } from './lab/requirements.js'
import { OLD_FILES, TshaDirector, WATCHED } from './lab/tsha.js'

t.setTimeout(300_000)

const RUNS = 5
const SETTLE_TIMEOUT_MS = 15_000
/** What a busy machine adds between the event and our knowledge of it. */
const MEASURING_MS = 150

/** One network for each kind of fault: they wait for timers, so they run side by side. */
t.jobs = 4

interface Pair {
  readonly lab: Lab
  readonly master: TshaDirector
}

/** How a master is disturbed, and how it comes back. */
interface Fault {
  /** Resolves with the moment of the disturbance. */
  readonly disturb: (pair: Pair) => Promise<number>
  readonly undo: (t: Test, pair: Pair, at: number) => Promise<void>
}

/** The median of the times from a disturbance to the address on the backup. */
async function measure(t: Test, fault: Fault): Promise<number> {
  const lab = await Lab.create({ web: 'node' })
  t.teardown(() => lab.close())
  await Promise.all([lab.web1.start(), lab.web2.start()])
  const master = new TshaDirector(lab.host('director1'), 'master', OLD_FILES, WATCHED)
  const backup = new TshaDirector(lab.host('director2'), 'backup', OLD_FILES, WATCHED)
  await master.start()
  await backup.start()
  await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
  const pair: Pair = { lab, master }
  const times: number[] = []
  for (let run = 0; run < RUNS; run += 1) {
    const mark = lab.watch.mark
    const at = await fault.disturb(pair)
    const taken = await lab.watch.waitForChange('director2', true, SETTLE_TIMEOUT_MS, mark)
    times.push(taken.at - at)
    await fault.undo(t, pair, at)
    await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
  }
  for (const director of [master, backup]) {
    t.match(
      await replayDirector(director),
      /^virtual router nginx: \d+ steps agree/,
      'and what it recorded replays'
    )
  }
  times.sort((a, b) => a - b)
  const median = times[Math.floor(RUNS / 2)] ?? Infinity
  t.comment(`${t.name}: median ${median} ms of ${times.join(', ')}`)
  return median
}

/** Its own object for each test: tap writes into it. */
const options = () => ({ skip: cannotRun(), buffered: true })

void t.test(
  'proxy killed and kept dead: at most 1.0 s (keepalived and nginx: 4.3 s)',
  options(),
  async (t) => {
    const median = await measure(t, {
      disturb: ({ master }) => master.stopProxy(),
      undo: async (_t, { lab, master }) => {
        await lab.watch.waitForOwners(['director2'], 5000)
        await master.startProxy()
      }
    })
    t.ok(median <= 1000, `${median} ms`)
  }
)

void t.test('SIGTERM: at most 0.75 s (keepalived: 0.65 s)', options(), async (t) => {
  const median = await measure(t, {
    disturb: ({ master }) => master.stop(),
    undo: async (t, { lab, master }) => {
      t.notOk(await lab.host('director1').hasAddress(VIP), 'the address went with the director')
      await master.start()
    }
  })
  t.ok(median <= 750, `${median} ms`)
})

void t.test('SIGKILL of every process: the timer of 2.65 to 3.65 s', options(), async (t) => {
  const median = await measure(t, {
    disturb: ({ master }) => master.kill(),
    undo: async (t, { lab, master }, at) => {
      await lab.watch.waitForOwners(['director2'], Math.max(1, at + 4000 - Date.now()))
      t.notOk(await lab.host('director1').hasAddress(VIP), 'within 4 s the dead have no address')
      t.strictSame(await lab.host('director1').pidsOfProgram('node'), [], 'no process is left')
      await master.start()
    }
  })
  t.ok(median >= 2650 - MEASURING_MS && median <= 3650 + MEASURING_MS, `${median} ms`)
})

void t.test('link cut: the timer of 2.65 to 3.65 s', options(), async (t) => {
  const median = await measure(t, {
    disturb: async ({ lab }) => {
      const at = Date.now()
      await lab.cutLink('director1')
      return at
    },
    undo: async (_t, { lab }) => {
      await lab.watch.waitForOwners(['director2'], 5000)
      await lab.heal('director1')
    }
  })
  t.ok(median >= 2650 - MEASURING_MS && median <= 3650 + MEASURING_MS, `${median} ms`)
})

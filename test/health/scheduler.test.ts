import t from 'tap'
import { CheckScheduler, type CheckResult } from '../../src/health/scheduler.js'

/** A check whose runs the test ends itself. */
class Puppet {
  readonly running: ((result: CheckResult) => void)[] = []
  #begun: (() => void) | null = null

  readonly run = (): Promise<CheckResult> =>
    new Promise((resolve) => {
      this.running.push(resolve)
      this.#begun?.()
    })

  async untilBegun(runs: number): Promise<void> {
    while (this.running.length < runs) await new Promise<void>((resolve) => (this.#begun = resolve))
  }

  end(run: number, passed: boolean): void {
    this.running[run]?.({ passed, detail: passed ? 'fine' : 'broken' })
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

t.test('it runs at once, and tells the first result and each change', async (t) => {
  const puppet = new Puppet()
  const changes: string[] = []
  const check = new CheckScheduler(
    puppet.run,
    { intervalMs: 5, rise: 1, fall: 2 },
    (isUp, detail) => changes.push(`${String(isUp)} ${detail}`)
  )
  t.teardown(() => {
    check.stop()
  })
  check.start()
  t.equal(puppet.running.length, 1)
  for (const [run, passed] of [true, false, false, true].entries()) {
    await puppet.untilBegun(run + 1)
    puppet.end(run, passed)
  }
  await puppet.untilBegun(5)
  t.same(changes, ['true fine', 'false broken', 'true fine'])
})

t.test('keepalived: a run that is still going skips the next ones', async (t) => {
  const puppet = new Puppet()
  const check = new CheckScheduler(puppet.run, { intervalMs: 2, rise: 1, fall: 1 }, () => undefined)
  t.teardown(() => {
    check.stop()
  })
  check.start()
  await new Promise((resolve) => setTimeout(resolve, 20)) // ten intervals
  t.equal(puppet.running.length, 1)
  puppet.end(0, true)
  await puppet.untilBegun(2)
})

t.test('runNow during a run runs once more right after it', async (t) => {
  const puppet = new Puppet()
  const check = new CheckScheduler(
    puppet.run,
    { intervalMs: 60_000, rise: 1, fall: 1 },
    () => undefined
  )
  t.teardown(() => {
    check.stop()
  })
  check.start()
  check.runNow()
  check.runNow()
  t.equal(puppet.running.length, 1)
  puppet.end(0, true)
  await puppet.untilBegun(2)
  puppet.end(1, true)
  await settle()
  t.equal(puppet.running.length, 2)
})

t.test('after stop a result that comes late is not told', async (t) => {
  const puppet = new Puppet()
  const changes: boolean[] = []
  const check = new CheckScheduler(puppet.run, { intervalMs: 60_000, rise: 1, fall: 1 }, (isUp) =>
    changes.push(isUp)
  )
  check.start()
  check.stop()
  puppet.end(0, true)
  await settle()
  t.same(changes, [])
  t.equal(check.isUp, null)
})

t.test(
  'keepalived: init_fail takes a check for failed until it has passed rise times',
  async (t) => {
    const puppet = new Puppet()
    const changes: boolean[] = []
    const check = new CheckScheduler(
      puppet.run,
      { intervalMs: 5, rise: 2, fall: 1, initFail: true },
      (isUp) => changes.push(isUp)
    )
    t.teardown(() => {
      check.stop()
    })
    check.start()
    t.equal(check.isUp, false)
    for (const run of [0, 1]) {
      await puppet.untilBegun(run + 1)
      t.same(changes, [])
      puppet.end(run, true)
    }
    await puppet.untilBegun(3)
    t.same(changes, [true])
  }
)

t.test('that a check cannot be run is told once, until it can be run again', async (t) => {
  const results = ['+', '!', '!', '+', '-', '!', '!']
  const told: string[] = []
  const done = new Promise<void>((resolve) => {
    const check = new CheckScheduler(
      () => {
        const result = results.shift()
        if (result === undefined) resolve()
        const isUnrunnable = result === '!'
        const detail = isUnrunnable ? 'no such program' : 'ran'
        return Promise.resolve({ passed: result === '+', detail, isUnrunnable })
      },
      { intervalMs: 1, rise: 1, fall: 2 },
      (isUp, detail) => told.push(`${isUp ? 'passes' : 'fails'}: ${detail}`),
      (detail) => told.push(`cannot be run: ${detail}`)
    )
    t.teardown(() => {
      check.stop()
    })
    check.start()
  })
  await done
  t.same(told, [
    'passes: ran',
    'cannot be run: no such program',
    'fails: no such program',
    'passes: ran',
    'fails: no such program'
  ])
})

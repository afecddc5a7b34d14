// lane: quiet - counts what 200 requests a second cost while a server is sick
import t from 'tap'
import type { Test } from 'tap'
import { Lab } from './lab/lab.js'
import type { LoadSummary } from './lab/load-result.js'
import { cannotRun } from './lab/requirements.js'
import { TshaDirector } from './lab/tsha.js'

t.setTimeout(150_000)
/** Two networks: together four hundred requests a second. */
t.jobs = 2

const RATE = 200
/** A dead server may cost requests that begin in this time, and none after it. */
const LEARNING_MS = 3000
const SICK_MS = 8000
const BACK_MS = 2000
const FIRST_ANSWER_MS = 1000

/** Makes a web server sick or well; resolves when it is. */
type Turn = () => Promise<void> | void

const CLIENTS = 'under clients that give up after 1 s, with the old nginx.conf'
/** Its own object for each test: tap writes into it. */
const options = () => ({ skip: cannotRun('nginx', 'tc'), buffered: true })

async function directorAlone(t: Test): Promise<Lab> {
  const lab = await Lab.create()
  t.teardown(() => lab.close())
  const master = new TshaDirector(lab.host('director1'), 'master')
  await Promise.all([lab.web1.start(), lab.web2.start(), master.start()])
  await lab.watch.waitForOwners(['director1'], 15_000)
  return lab
}

void t.test(`a web server that is not reached, ${CLIENTS}`, options(), async (t) => {
  const lab = await directorAlone(t)

  await t.test('web1 takes no new connection', async (t) => {
    const drop: Turn = async () => {
      await lab.dropSyns('web1')
      // So that none of the connections that the director keeps is left to go on.
      await lab.web1.stop()
      await lab.web1.start()
    }
    const take: Turn = () => lab.takeSyns('web1')
    await costsLittle(t, lab, drop, take)
  })

  await t.test('web1 is behind a switch port that forwards nothing', async (t) => {
    const cut: Turn = () => lab.blackhole('web1')
    const heal: Turn = () => lab.heal('web1')
    await costsLittle(t, lab, cut, heal)
  })
})

void t.test(`web servers that stand still or are stopped, ${CLIENTS}`, options(), async (t) => {
  const lab = await directorAlone(t)

  await t.test('web1 accepts and never answers', async (t) => {
    const freeze: Turn = () => {
      lab.web1.freeze()
    }
    const thaw: Turn = () => {
      lab.web1.thaw()
    }
    await costsLittle(t, lab, freeze, thaw)
  })

  await t.test('both are stopped, then one is back', async (t) => {
    const stop: Turn = async () => {
      await Promise.all([lab.web1.stop(), lab.web2.stop()])
    }
    await servesAgain(t, lab, stop, () => lab.web2.start())
    await lab.web1.start()
  })

  await t.test('both stand still, then one is back', async (t) => {
    const freeze: Turn = () => {
      lab.web1.freeze()
      lab.web2.freeze()
    }
    const thaw: Turn = () => {
      lab.web1.thaw()
    }
    await servesAgain(t, lab, freeze, thaw)
    lab.web2.thaw()
  })
})

/** One server of two turns sick: clients are spared soon, and it serves again soon after. */
async function costsLittle(t: Test, lab: Lab, sicken: Turn, heal: Turn): Promise<void> {
  const load = await lab.steadyClient({ rate: RATE, timeoutMs: 1000 })
  await load.waitForAnswer(Date.now(), 5000, lab.web1.answer)
  await sicken()
  const at = Date.now()
  await load.waitForAnswer(at + SICK_MS, SICK_MS + 5000)
  await heal()
  const healedAt = Date.now()
  const back = await load.waitForAnswer(healedAt, 10_000, lab.web1.answer)
  const backMs = back.at + back.ms - healedAt
  await load.waitForAnswer(back.at + 2000, 5000)
  await load.stop()
  const learning = load.summary(at, at + LEARNING_MS)
  const later = load.summary(at + LEARNING_MS)
  const lastFailure = load.results.entries.findLast(({ ok }) => !ok)
  t.comment(
    `${count(learning)} in the first 3 s, the last one begun after ` +
      `${lastFailure ? lastFailure.at - at : 0} ms; then ${count(later)}; ` +
      `healed, it serves again after ${backMs.toFixed(0)} ms`
  )
  t.strictSame(later.failures, {}, 'no request that begins after 3 s fails')
  t.ok(later.total > (RATE * SICK_MS) / 2000, `${later.total} requests`)
  t.ok(backMs <= BACK_MS, 'it serves again within 2 s')
}

/** Both servers turn sick and one gets well. */
async function servesAgain(t: Test, lab: Lab, sicken: Turn, heal: Turn): Promise<void> {
  const load = await lab.steadyClient({ rate: RATE, timeoutMs: 1000 })
  await sicken()
  await load.results.waitFor(({ at, ok }) => !ok && at > Date.now() - 3000, 'failure', 5000)
  const deadSince = Date.now()
  await load.results.waitFor(({ at }) => at > deadSince + 4000, 'result after 4 s', 10_000)
  await heal()
  const at = Date.now()
  const first = await load.waitForAnswer(at - 1000, 10_000)
  const firstMs = first.at + first.ms - at
  await load.waitForAnswer(at + 3000, 5000)
  await load.stop()
  const later = load.summary(at + FIRST_ANSWER_MS)
  t.comment(`first good answer after ${firstMs.toFixed(0)} ms; after 1 s ${count(later)}`)
  t.ok(firstMs <= FIRST_ANSWER_MS, 'served again within 1 s')
  t.strictSame(later.failures, {}, 'and from then on nothing fails')
}

function count(summary: LoadSummary): string {
  return `${summary.failed} of ${summary.total} requests failed`
}

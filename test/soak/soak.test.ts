import t from 'tap'
import { Fleet } from '../../bench/fleet.js'
import { soak } from './soak.js'

// Nothing here depends on how fast the machine is; a run on a busy one only takes longer.
t.setTimeout(110_000)

const SECONDS = 20
const RATE = 120

await t.test('twenty seconds of faults: no wrong response, nothing left over', async (t) => {
  const fleet = new Fleet('soak')
  t.teardown(() => fleet.close())
  const seed = Date.now() % 1_000_000_000
  const options = { seconds: SECONDS, rate: RATE, seed, workers: 2 }
  const lines: string[] = []
  const result = await soak(
    fleet,
    { ...options, calibrateSeconds: 0, sampleMs: 2000 },
    (line) => void lines.push(line)
  )
  t.comment(`seed ${seed}, ${result.balance.requests} requests`)
  if (result.findings.length > 0) for (const line of lines) t.comment(line)
  t.strictSame(result.findings, [])
  t.ok(result.balance.outcomes.ok > 0, 'requests were answered')
  t.ok(result.balance.outcomes.aborted > 0, 'clients have left')
  t.ok(result.outages.killed + result.outages.stopped > 0, 'servers were killed or stopped')
})

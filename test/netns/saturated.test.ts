// lane: alone - takes every processor of the machine
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import t from 'tap'
import { ADDRESSES, Lab, macOf, VIP } from './lab/lab.js'
import { processorTimeOf } from './lab/process-tree.js'
import { cannotRun } from './lab/requirements.js'
import { describeLatenesses, latenesses } from './lab/schedule.js'
import { describeScraped, Scraper } from './lab/scrape.js'
import { isStateChange, startPair } from './lab/tsha.js'

t.setTimeout(180_000)

/** `TSHA_LONG=1` takes a minute. */
const SECONDS = process.env['TSHA_LONG'] === '1' ? 60 : 12
const CONNECTIONS = 100
const LATE_MS = 100
/** Of all processors. */
const IDLE_SHARE = 0.1
/** Each second, for each of the metrics and the status; a monitoring system asks twice a minute. */
const SCRAPES = 100
/** What is left for the admin process is little: this much of it is answered all the same. */
const ANSWERED_SHARE = 0.1

await t.test(
  'the proxy under load takes every processor, and administrators ask 200 times a second: adverts keep their schedule',
  { skip: cannotRun('nginx', 'tcpdump', 'wrk') },
  async (t) => {
    const lab = await Lab.create()
    t.teardown(() => lab.close())
    const { master, backup } = await startPair(lab)
    await master.waitForWorkers(2)
    const mac = macOf(ADDRESSES.director1)
    const capture = await lab.capture('director1', `ip proto 112 and ether src ${mac}`)
    const mark = lab.watch.mark
    const logMarks = [master.log.mark, backup.log.mark] as const

    const scraper = await Scraper.start(master, SCRAPES)
    const wrk = ['-t', '2', '-c', String(CONNECTIONS), '-d', `${SECONDS}s`, `http://${VIP}/`]
    const timeBefore = processorTimeOf(master.pid)
    const idleBefore = idleTime()
    const began = Date.now()
    const load = await lab.host('client').run('wrk', wrk, { timeoutMs: (SECONDS + 20) * 1000 })
    const elapsedMs = Date.now() - began
    const idle = (idleTime() - idleBefore) / (elapsedMs * availableParallelism())
    const own = (processorTimeOf(master.pid) - timeBefore) / elapsedMs
    const scraped = await scraper.stop()
    t.equal(load.code, 0, load.stderr)
    const rate = /Requests\/sec:\s+([\d.]+)/.exec(load.stdout)?.[1] ?? '?'
    await capture.stop()
    const late = latenesses(capture.packets.entries)

    t.comment(
      `${rate} requests/s for ${SECONDS} s, processors idle ${percent(idle)}, ` +
        `director process ${percent(own)} of one; adverts ${describeLatenesses(late)}`
    )
    for (const [path, counts] of [
      ['/metrics', scraped.metrics],
      ['/v1/status', scraped.status]
    ] as const) {
      t.comment(describeScraped(path, counts, scraped.seconds))
      const { due, answered, refused, failed, skipped } = counts
      t.ok(due > (SECONDS - 2) * SCRAPES, `${path} was due ${due} times`)
      t.ok(answered >= due * ANSWERED_SHARE, `${path} was answered ${answered} times`)
      t.equal(answered + refused + failed + skipped, due, 'and each one is accounted for')
    }
    t.ok(scraped.streamed > 0, `the stream that is read had ${scraped.streamed} statuses`)
    t.ok(idle < IDLE_SHARE, `the processors are taken: ${percent(idle)} idle`)
    t.ok(late.length >= SECONDS - 1, `${late.length} intervals were measured`)
    t.ok(Math.max(...late) <= LATE_MS, describeLatenesses(late))
    t.equal(lab.watch.mark, mark, 'the address does not move')
    const changes = [
      ...master.log.since(logMarks[0]).filter(isStateChange),
      ...backup.log.since(logMarks[1]).filter(isStateChange)
    ]
    t.strictSame(changes, [], 'nobody changes its state')
  }
)

/** Time that all processors together had nothing to do, in milliseconds since the start of the machine. */
function idleTime(): number {
  const [, ...fields] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/ +/)
  return (Number(fields[3]) + Number(fields[4])) * 10
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import t from 'tap'
import { EventLog } from './lab/event-log.js'
import type { Host } from './lab/host.js'
import { Lab, VIP } from './lab/lab.js'
import { installPairFiles, ON_DIRECTOR } from './lab/pair-files.js'
import { cannotRun } from './lab/requirements.js'
import { TshaDirector, type LogLine } from './lab/tsha.js'
import { until } from './lab/until.js'

t.setTimeout(120_000)

const SETTLE_TIMEOUT_MS = 15_000
const DEVICE = 'ens160'
const SOURCE = '192.168.64.131'
const PROMOTE = `/proc/sys/net/ipv4/conf/${DEVICE}/promote_secondaries`
const FIFO = '/run/tsha-test.fifo'
const WEIGHT = '/run/weight'

/** The example of the pair as a director without a proxy, with other settings. */
const ELECTION = `
virtual_routers:
  inside:
    interface: ${DEVICE}
    vrid: 51
    priority: 100
    source_address: ${SOURCE}
    addresses: [${VIP}/24]
    promote_secondaries: true
    notify_priority_changes: true
    track: [{ check: weight, weight: 1 }]
checks:
  weight: { type: file, path: ${WEIGHT}, init_file: { value: 3 } }
link_delays: { ${DEVICE}: { down: 1500ms, up: 1s } }
notify_fifo: { path: ${FIFO} }
`

const says =
  (text: string) =>
  (line: LogLine): boolean =>
    String(line['msg']).includes(text)

/** The lines of a pipe on a machine. */
function follow(host: Host, path: string): { lines: EventLog<string>; end: () => void } {
  const lines = new EventLog<string>('the notify FIFO', 1000)
  const cat = spawn('cat', [host.path(path)], { stdio: ['ignore', 'pipe', 'ignore'] })
  createInterface({ input: cat.stdout }).on('line', (line) => {
    lines.push(line)
  })
  return { lines, end: () => void cat.kill('SIGKILL') }
}

await t.test(
  'one director with a source and delays of its own',
  { skip: cannotRun() },
  async (t) => {
    const lab = await Lab.create({ machines: ['director1', 'director2', 'client'] })
    t.teardown(() => lab.close())
    const host = lab.host('director1')
    const director = new TshaDirector(host, 'master', [])
    await installPairFiles(host, 'master')
    await host.writeFile(ON_DIRECTOR.tsha, ELECTION)
    t.equal((await host.must('cat', PROMOTE)).trim(), '0', 'what the kernel has before')

    await t.test('a source that is not there yet is a fault until it is there', async (t) => {
      await director.startProcess()
      const first = await director.waitForState('fault', SETTLE_TIMEOUT_MS)
      t.equal(first['to'], 'fault')
      await host.must('ip', 'addr', 'add', `${SOURCE}/24`, 'dev', DEVICE)
      await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
    })

    await t.test('promote_secondaries is set', async (t) => {
      t.equal((await host.must('cat', PROMOTE)).trim(), '1')
    })

    await t.test('a source that is removed is a fault until it is back', async () => {
      const { mark } = director.log
      await host.must('ip', 'addr', 'del', `${SOURCE}/24`, 'dev', DEVICE)
      await director.waitForState('fault', 3000, mark)
      await lab.watch.waitForOwners([], 3000)
      await host.must('ip', 'addr', 'add', `${SOURCE}/24`, 'dev', DEVICE)
      await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
    })

    await t.test('a change of the priority is a line of the pipe', async (t) => {
      t.equal(await host.readFile(WEIGHT), '3\n', 'the file was made')
      const { lines, end } = follow(host, FIFO)
      t.teardown(end)
      await host.writeFile(WEIGHT, '-20\n')
      await lines.waitFor((line) => line === 'INSTANCE "inside" MASTER_PRIORITY 80', 'line', 5000)
      await host.writeFile(WEIGHT, '3\n')
      await lines.waitFor((line) => line === 'INSTANCE "inside" MASTER_PRIORITY 103', 'line', 5000)
    })

    await t.test('a link that is back within its delay was never down', async (t) => {
      const { mark } = director.log
      const shows = (flag: RegExp): Promise<void> =>
        until(
          `link with ${String(flag)}`,
          async () => flag.test(await host.must('ip', '-o', 'link', 'show', 'dev', DEVICE)),
          5000
        )
      await lab.cutLink('director1')
      await shows(/NO-CARRIER/)
      await lab.heal('director1')
      await shows(/[<,]UP,LOWER_UP/)
      const cutAt = Date.now()
      await lab.cutLink('director1')
      const changed = await director.waitForState('fault', 5000, mark)
      const lasted = Date.parse(String(changed['time'])) - cutAt
      t.ok(lasted >= 1500 && lasted < 2500, `down counts 1.5 s after the second cut; ${lasted} ms`)
      t.equal(director.log.since(mark).filter(says('link changed')).length, 1, 'the first was none')
      await lab.heal('director1')
      const back = await director.log.waitFor(
        (line) => says('link changed')(line) && line['isUp'] === true,
        'the link back',
        5000,
        mark
      )
      const awayMs = Date.parse(String(back['time'])) - Date.parse(String(changed['time']))
      t.ok(awayMs >= 1000, `up counts after 1 s; ${awayMs} ms`)
      await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
    })
    await director.stop()
  }
)

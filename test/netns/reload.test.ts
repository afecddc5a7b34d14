// lane: alone - measures how late advertisements are, and counts requests that fail
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { isAdvertisement, isGratuitousArp, priorityOf, senderOf } from './lab/frame.js'
import { ADDRESSES, Lab, macOf, VIP } from './lab/lab.js'
import { ON_DIRECTOR, PAIR_DIRECTORY } from './lab/pair-files.js'
import type { Packet } from './lab/pcap.js'
import { signalProcess } from './lab/process-tree.js'
import { replayDirector } from './lab/recording.js'
import { cannotRun } from './lab/requirements.js'
import { isStateChange, startPair, type LogLine, type TshaDirector } from './lab/tsha.js'
import { until } from './lab/until.js'

t.setTimeout(120_000)

const LATE_MS = 100
const IN_A_ROW = 20
const OUR_MAC = macOf(ADDRESSES.director1)
const OTHER_VIP = '192.168.64.201'
const SECOND_ROUTER = `  second:
    interface: ens160
    vrid: 52
    version: 3
    advert_interval: 100ms
    addresses: [192.168.64.202/24]
`

await t.test(
  'the configuration is read anew under load: what changed is applied, and nothing else moves',
  { skip: cannotRun('nginx', 'tcpdump') },
  async (t) => {
    const lab = await Lab.create()
    t.teardown(() => lab.close())
    const { master, backup } = await startPair(lab, ['--config', ON_DIRECTOR.tsha])
    await master.waitForWorkers(2)
    const original = await readFile(join(PAIR_DIRECTORY, 'tsha.yaml'), 'utf8')
    let yaml = original

    /** Has a director read what the file says with one part changed. */
    const reload = async (director: TshaDirector): Promise<readonly unknown[]> => {
      await director.host.writeFile(ON_DIRECTOR.tsha, yaml)
      const line = await director.reload()
      t.equal(line['msg'], 'configuration reloaded', JSON.stringify(line))
      return line['changes'] as readonly unknown[]
    }
    const edit = (from: string, to: string): void => {
      t.ok(yaml.includes(from), `the example has: ${from}`)
      yaml = yaml.replace(from, () => to)
    }
    const change = async (from: string, to: string): Promise<readonly unknown[]> => {
      edit(from, to)
      return reload(master)
    }

    const capture = await lab.capture('director1', 'ip proto 112 or arp')
    const ours = (packets: readonly Packet[], vrid = 51): readonly Packet[] =>
      packets.filter(
        (packet) =>
          isAdvertisement(packet) && senderOf(packet) === OUR_MAC && vridOf(packet) === vrid
      )
    const mark = lab.watch.mark
    const logMarks = [master.log.mark, backup.log.mark] as const
    const loads = {
      'fresh connections': await lab.steadyClient({ rate: 150 }),
      'kept connections': await lab.steadyClient({ rate: 50, keepAlive: 20 })
    }

    await t.test('a priority is advertised at once', async (t) => {
      const before = capture.packets.mark
      const lines = await change('priority: 100', 'priority: 105')
      t.strictSame(lines, ['virtual router nginx: priority 100 -> 105'])
      const advert = await capture.packets.waitFor(
        (packet) => ours([packet]).length > 0 && priorityOf(packet) === 105,
        'advertisement of the new priority',
        500,
        before
      )
      const told = master.log.entries.find(({ msg }) => msg === 'configuration reloaded')
      const waitedMs = Date.parse(String(told?.['time'])) - advert.at
      t.ok(Math.abs(waitedMs) < LATE_MS, `${waitedMs.toFixed(0)} ms before the end of the reload`)
    })

    await t.test(
      'an address is added and announced, and removed; the other one stays',
      async (t) => {
        const before = capture.packets.mark
        edit('192.168.64.200/24]', `192.168.64.200/24, ${OTHER_VIP}/24]`)
        t.strictSame(await reload(master), [`virtual router nginx: address ${OTHER_VIP}/24 added`])
        await capture.packets.waitFor(
          (packet) => isGratuitousArp(packet, OTHER_VIP),
          'announcement of the new address',
          1000,
          before
        )
        t.ok(await master.host.hasAddress(OTHER_VIP))
        t.strictSame(await change(`, ${OTHER_VIP}/24]`, ']'), [
          `virtual router nginx: address ${OTHER_VIP}/24 removed`
        ])
        await untilGone(master, OTHER_VIP)
        t.ok(await master.host.hasAddress(VIP))
      }
    )

    await t.test(
      'password and interval of both, the backup first: it never becomes master',
      async (t) => {
        edit('password: "123456"', 'password: "654321"')
        const lines = ['virtual router nginx: password changed']
        t.strictSame(await reload(backup), ['virtual router nginx: password changed'])
        t.strictSame(await reload(master), lines)
        edit('advert_interval: 1s', 'advert_interval: 2s')
        await reload(backup)
        t.strictSame(await reload(master), [
          'virtual router nginx: advert_interval 1s -> 2s',
          'virtual router nginx: address_lease 2s -> 4s'
        ])
        edit('advert_interval: 2s', 'advert_interval: 1s')
        await reload(backup)
        await reload(master)
      }
    )

    await t.test('a wrong file is refused, all of it, and everything stays', async (t) => {
      await master.host.writeFile(
        ON_DIRECTOR.tsha,
        yaml.replace('vrid: 51', 'vrid: 300').replace('upstream: web', 'upstream: wab')
      )
      const problems = problemsOf(await master.reload())
      t.equal(problems.length, 2)
      t.match(problems[0], /^\/etc\/tsha\/tsha\.yaml:\d+:\d+: .*300.*\[TSHA_E_VRID_RANGE\]$/)
      t.match(problems[1], /wab.*\[TSHA_E_REFERENCE\]$/)
    })

    await t.test(
      'a port that is taken is refused, and the change beside it is not made',
      async (t) => {
        const workers = await master.waitForWorkers(2)
        const thief = await master.host.spawn(process.execPath, [
          '-e',
          'require("net").createServer().listen(81, () => console.log("ready"))'
        ])
        await thief.lines.waitFor(({ text }) => text === 'ready', 'the port is taken', 5000)
        const wanted = withListener(yaml, 81).replace('priority: 105', 'priority: 106')
        await master.host.writeFile(ON_DIRECTOR.tsha, wanted)
        const problems = problemsOf(await master.reload())
        t.match(
          problems.join(),
          /^port 81 on 0\.0\.0\.0 is taken by another program \[TSHA_E_LISTEN\]$/
        )
        await thief.stop('SIGKILL', 5000)
        t.strictSame(await master.waitForWorkers(2), workers, 'the same workers serve')
      }
    )

    await t.test('listeners and servers come and go', async (t) => {
      const one = yaml
      yaml = withListener(yaml, 81)
      edit('      - { address: 192.168.64.138, max_fails: 2, fail_timeout: 3s }\n', '')
      t.strictSame(await reload(master), [
        'upstream web server 192.168.64.138:80: removed',
        'listen 0.0.0.0:81: opened',
        'server 0.0.0.0:81 _: added'
      ])
      const curl = ['--silent', '--fail', '--max-time', '2', `http://${VIP}:81/`]
      const answers = [1, 2, 3].map(() => lab.host('client').must('curl', ...curl))
      for (const answer of await Promise.all(answers)) t.match(answer, lab.web1.answer)
      yaml = one
      const lines = await change('interval: 2s, fall', 'interval: 1s, fall')
      t.ok(lines.includes('service check: interval 2s -> 1s'), 'the check too')
      t.ok(lines.includes('listen 0.0.0.0:81: closed'))
    })

    await t.test('a virtual router comes by election, and leaves with priority 0', async (t) => {
      const before = capture.packets.mark
      edit('upstreams:\n', `${SECOND_ROUTER}\nupstreams:\n`)
      t.strictSame(await reload(master), ['virtual router second: added'])
      await capture.packets.waitFor(
        (packet) => ours([packet], 52).length > 0 && priorityOf(packet) > 0,
        'the new virtual router is master',
        5000,
        before
      )
      t.strictSame(await change(`${SECOND_ROUTER}\n`, ''), ['virtual router second: removed'])
      const last = ours(capture.packets.since(before), 52).at(-1)
      t.equal(last && priorityOf(last), 0)
      t.notOk(await master.host.hasAddress('192.168.64.202'))
    })

    await t.test(`${IN_A_ROW} reloads in a row`, async (t) => {
      for (let i = 0; i < IN_A_ROW; i += 1) {
        const [from, to] = i % 2 === 0 ? [105, 106] : [106, 105]
        t.strictSame(await change(`priority: ${from}`, `priority: ${to}`), [
          `virtual router nginx: priority ${from} -> ${to}`
        ])
      }
    })

    for (const [name, load] of Object.entries(loads)) {
      const { total, failures, p99Ms } = await load.stop()
      t.strictSame(
        failures,
        {},
        `${name}: none of ${total} requests failed, p99 ${p99Ms.toFixed(1)} ms`
      )
    }
    await capture.stop()
    const late = latenessesOf(ours(capture.packets.entries))
    t.ok(
      Math.max(...late) <= LATE_MS,
      `of ${late.length} the latest came ${Math.max(...late).toFixed(1)} ms late`
    )
    t.equal(lab.watch.mark, mark, 'the address did not move')
    const changes = [...master.log.since(logMarks[0]), ...backup.log.since(logMarks[1])].filter(
      (line) => isStateChange(line) && line['router'] === 'nginx'
    )
    t.strictSame(changes, [], 'nobody changed its state')
    const zeros = ours(capture.packets.entries).filter((packet) => priorityOf(packet) === 0)
    t.strictSame(zeros, [], 'no priority 0')

    for (const director of [master, backup]) {
      const said = await replayDirector(director)
      t.match(said, /^virtual router nginx: \d+ steps agree$/m, 'what it recorded replays')
    }

    const stopMark = master.log.mark
    signalProcess(master.pid, 'SIGHUP')
    await master.stop()
    // What it wrote last may be read after it has ended.
    await master.log.waitFor(({ msg }) => msg === 'stopped', 'last line', 5000, stopMark)
    const after = master.log.since(stopMark).map(({ msg }) => msg)
    t.notOk(after.includes('configuration reloaded'), 'a stop during a reload wins')
  }
)

function vridOf({ bytes }: Packet): number {
  return bytes[35] ?? -1
}

/** Of VRRPv2, in seconds. */
function intervalOf({ bytes }: Packet): number {
  return (bytes[39] ?? 0) * 1000
}

/** How much later than its interval each advertisement came. */
function latenessesOf(packets: readonly Packet[]): readonly number[] {
  return packets.slice(1).map((packet, i) => {
    const before = packets[i] ?? packet
    return packet.at - before.at - intervalOf(before)
  })
}

function problemsOf(line: LogLine): readonly string[] {
  return (line['problems'] as readonly string[] | undefined) ?? []
}

/** The same listener once more, on another port. */
function withListener(yaml: string, port: number): string {
  const listener = yaml.slice(yaml.indexOf('  - address: ":80"'), yaml.indexOf('workers:'))
  return yaml.replace('workers:', `${listener.replace(':80', `:${port}`)}workers:`)
}

async function untilGone(director: TshaDirector, address: string): Promise<void> {
  await until(`${address} gone`, async () => !(await director.host.hasAddress(address)), 2000)
}

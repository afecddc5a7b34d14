import t from 'tap'
import { isAdvertisement } from './lab/frame.js'
import type { Host } from './lab/host.js'
import { ADDRESSES, Lab } from './lab/lab.js'
import { ON_DIRECTOR } from './lab/pair-files.js'
import { cannotRun } from './lab/requirements.js'
import { TshaDirector, type LogLine } from './lab/tsha.js'

t.setTimeout(120_000)

/** glibc gives a name server up after 5 s, twice. */
const LONGEST_LOOKUP_MS = 15_000
const START_MS = 4000
const STOP_MS = 3000

const TSHA_YAML = `
virtual_routers:
  web:
    interface: ens160
    vrid: 51
    priority: 100
    addresses: [192.168.64.200/24]
    track: [{ check: service, weight: -20 }]
upstreams:
  web:
    servers:
      - { address: web1.example.org }
      - { address: "web2.example.org:80" }
listeners:
  - address: ":80"
    routes: [{ path: /, upstream: web, timeouts: { connect: 1s } }]
resolve_interval: 1s
`

/** A name server that takes every question and answers none. */
const SILENT_NAME_SERVER = `
import { createSocket } from 'node:dgram'
const socket = createSocket('udp4')
let questions = 0
socket.on('message', () => console.log('question', ++questions))
socket.bind(53, () => console.log('ready'))
`

const isAbout = (host: string, message: string) => (line: LogLine) =>
  line['host'] === host && String(line['msg']).includes(message)

async function setHosts(host: Host, ...lines: readonly string[]): Promise<void> {
  await host.writeFile('/etc/hosts', ['127.0.0.1 localhost', ...lines, ''].join('\n'))
}

await t.test(
  'host names that appear, move and vanish, beside a name server that never answers',
  { skip: cannotRun('tcpdump') },
  async (t) => {
    const lab = await Lab.create({ web: 'node' })
    t.teardown(() => lab.close())
    const silent = ['--input-type=module', '-e', SILENT_NAME_SERVER]
    const server = await lab.host('client').spawn(process.execPath, silent)
    await server.lines.waitFor(({ text }) => text === 'ready', 'name server', 5000)
    const host = lab.host('director1')
    const [web1, web2] = [ADDRESSES.web1, ADDRESSES.web2]
    await host.writeFile('/etc/resolv.conf', `nameserver ${ADDRESSES.client}\n`)
    await host.writeFile(ON_DIRECTOR.tsha, TSHA_YAML)
    await setHosts(host, `${web1} web1.example.org`)
    await Promise.all([lab.web1.start(), lab.web2.start()])
    const capture = await lab.capture('director1', 'proto 112')
    const director = new TshaDirector(host, 'master', ['--config', ON_DIRECTOR.tsha])
    const { log } = director
    const answers = async (count: number): Promise<string[]> => {
      const results = await lab.get(count)
      return results.map(({ ok, body }) => (ok ? body : 'failed')).toSorted()
    }

    await t.test('it starts at once, and serves by the names that it knows', async (t) => {
      const from = Date.now()
      await director.startProcess()
      const startedMs = Date.now() - from
      t.ok(startedMs < START_MS, `started in ${startedMs} ms`)
      await lab.watch.waitForOwners(['director1'], 10_000)
      t.strictSame(await answers(4), Array(4).fill('This is web1'))
      const line = await log.waitFor(
        isAbout('web2.example.org', 'cannot be resolved'),
        'line about web2',
        LONGEST_LOOKUP_MS
      )
      t.match(line, {
        detail: 'no answer within 5000 ms',
        msg: 'upstream server cannot be resolved: it gets no requests until it can'
      })
    })

    await t.test('a name that appears gets its share', async (t) => {
      await setHosts(host, `${web1} web1.example.org`, `${web2} web2.example.org`)
      const resolved = isAbout('web2.example.org', 'is resolved')
      await log.waitFor(resolved, 'web2 to be resolved', LONGEST_LOOKUP_MS)
      t.strictSame(await answers(4), [
        'This is web1',
        'This is web1',
        'This is web2',
        'This is web2'
      ])
    })

    await t.test('a name that moves takes its requests along', async (t) => {
      await setHosts(host, `${web2} web1.example.org`, `${web2} web2.example.org`)
      const moved = isAbout('web1.example.org', 'has other addresses')
      const line = await log.waitFor(moved, 'web1 to move', 5000)
      t.strictSame(line['addresses'], [web2])
      t.strictSame(line['before'], [web1])
      t.strictSame(await answers(4), Array(4).fill('This is web2'))
    })

    await t.test('a name that vanishes keeps its last address', async (t) => {
      await setHosts(host, `${web2} web2.example.org`)
      const lost = isAbout('web1.example.org', 'its last addresses stay in use')
      await log.waitFor(lost, 'web1 to vanish', LONGEST_LOOKUP_MS)
      t.strictSame(await answers(4), Array(4).fill('This is web2'))
      const moved = log.entries.filter(isAbout('web2.example.org', 'resolved'))
      t.equal(moved.length, 2, 'the begin and the end of what happened to web2, and no more')
    })

    await t.test('advertisements have come every second all the time', (t) => {
      const sent = capture.packets.entries.filter(isAdvertisement)
      const gaps = sent.slice(1).map((each, index) => each.at - (sent[index]?.at ?? 0))
      t.ok(gaps.length > 10, `${gaps.length} gaps`)
      t.comment(`longest gap ${Math.max(...gaps).toFixed(0)} ms of ${gaps.length}`)
      t.ok(Math.max(...gaps) < 1100, 'and never later than that')
      t.end()
    })

    await t.test('it ends at once although a lookup is under way', async (t) => {
      const mark = server.lines.mark
      const asked = ({ text }: { text: string }): boolean => text.startsWith('question')
      await server.lines.waitFor(asked, 'question', LONGEST_LOOKUP_MS, mark)
      const from = Date.now()
      await director.stop()
      const stoppedMs = Date.now() - from
      t.ok(stoppedMs < STOP_MS, `stopped in ${stoppedMs} ms`)
    })
  }
)

import t, { type Test as Tap } from 'tap'
import { AddressWatch } from './lab/address-watch.js'
import { Lab, VIP } from './lab/lab.js'
import type { RequestResult } from './lab/load-result.js'
import { Load } from './lab/load.js'
import { ON_DIRECTOR } from './lab/pair-files.js'
import { replayDirector, replayFile, waitForRecording } from './lab/recording.js'
import { cannotRun } from './lab/requirements.js'
import { signalProcess } from './lab/process-tree.js'
import {
  laySecondNetwork,
  SECOND_INTERFACE,
  SECOND_VIP,
  setSecondLink
} from './lab/second-network.js'
import { TshaDirector, WATCHED } from './lab/tsha.js'

t.setTimeout(120_000)

const SETTLE_MS = 15_000
const RATE = 100
/** An answer takes no longer, even on a busy machine. */
const ANSWER_MS = 500
/** Between the clocks of two kinds of messages. */
const CLOCKS_MS = 20
/** Is there as long as the director is well. */
const HEALTHY = '/run/healthy'

/** What a replay says of the members, the group and the check. */
const EVERYTHING =
  /^virtual router inside: \d+ steps agree\nvirtual router outside: \d+ steps agree\nsync group pair: \d+ decisions agree\ncheck healthy: \d decisions? agree/

/** The pair with a second network: both addresses belong to one service. */
const CONFIG = `
roles:
  master: { priority: 100 }
  backup: { priority: 90 }
virtual_routers:
  inside:
    interface: ${SECOND_INTERFACE}
    vrid: 52
    addresses: [${SECOND_VIP}/24]
    track: [{ check: healthy, weight: 0 }]
  outside:
    interface: ens160
    vrid: 51
    addresses: [${VIP}/24]
checks:
  healthy: { type: script, command: [/usr/bin/test, -e, ${HEALTHY}], interval: 1s, fall: 1, rise: 1 }
sync_groups:
  pair: { members: [inside, outside] }
upstreams:
  web:
    servers: [{ address: 192.168.64.143 }, { address: 192.168.64.138 }]
listeners:
  - address: ":80"
    routes:
      - { path: /, upstream: web }
workers: 1
`

await t.test('two virtual routers in a sync group', { skip: cannotRun('nginx') }, async (t) => {
  const lab = await Lab.create()
  t.teardown(() => lab.close())
  const hosts = [lab.host('director1'), lab.host('director2')] as const
  await laySecondNetwork(lab, ['director1', 'director2', 'client'])
  const inside = await AddressWatch.start(SECOND_VIP, hosts)
  const outside = lab.watch
  const owners = async (name: 'director1' | 'director2'): Promise<void> => {
    await Promise.all([
      inside.waitForOwners([name], SETTLE_MS),
      outside.waitForOwners([name], SETTLE_MS)
    ])
    await (name === 'director1' ? first : second).log.waitFor(
      ({ msg, state }) => msg === 'sync group changed' && state === 'MASTER',
      'line in the log',
      SETTLE_MS
    )
  }
  const [first, second] = [
    new TshaDirector(hosts[0], 'master', [], WATCHED),
    new TshaDirector(hosts[1], 'backup', [], WATCHED)
  ]
  const start = async (director: TshaDirector): Promise<void> => {
    await director.host.writeFile(ON_DIRECTOR.tsha, CONFIG)
    await director.host.writeFile(HEALTHY, '')
    await director.startProcess()
  }
  await Promise.all([lab.web1.start(), lab.web2.start(), start(first), start(second)])
  await owners('director1')

  /** A client of each address, asking without pause; the result ends them and has what failed. */
  const clients = async (t: Tap): Promise<() => Promise<readonly RequestResult[]>> => {
    const loads = await Promise.all(
      [VIP, SECOND_VIP].map((address) =>
        Load.start(lab.host('client'), { url: `http://${address}/`, rate: RATE })
      )
    )
    await Promise.all(loads.map((load) => load.waitForAnswer(Date.now() + 300, SETTLE_MS)))
    return async () => {
      await Promise.all(loads.map((load) => load.waitForAnswer(Date.now() + 1000, SETTLE_MS)))
      const ends = await Promise.all(loads.map((load) => load.stop()))
      for (const { total } of ends) t.ok(total > RATE, 'a client asked all the time')
      return loads.flatMap(({ results }) => results.entries.filter(({ ok }) => !ok))
    }
  }

  await t.test('one interface loses its carrier: both addresses move, and come back', async (t) => {
    const marks = [inside.mark, outside.mark] as const
    const logMark = first.log.mark
    await setSecondLink(lab, 'director1', false)
    await owners('director2')
    const lost = [
      await inside.waitForChange('director1', false, SETTLE_MS, marks[0]),
      await outside.waitForChange('director1', false, SETTLE_MS, marks[1])
    ].map(({ at }) => at)
    t.ok(Math.abs((lost[0] ?? 0) - (lost[1] ?? 0)) < 200, 'given up together')
    const got = [
      await inside.waitForChange('director2', true, SETTLE_MS, marks[0]),
      await outside.waitForChange('director2', true, SETTLE_MS, marks[1])
    ].map(({ at }) => at)
    t.ok(Math.abs((got[0] ?? 0) - (got[1] ?? 0)) < 200, 'taken together')
    t.strictSame(
      first.log
        .since(logMark)
        .filter((line) => line['msg'] === 'sync group changed')
        .map((line) => line['state']),
      ['FAULT']
    )
    await setSecondLink(lab, 'director1', true)
    await owners('director1')
  })

  for (const [what, goesOn, gives] of [
    ['a check of one member fails', true, () => hosts[0].removeFile(HEALTHY)],
    ['the director is stopped', false, () => first.stop()]
  ] as const) {
    await t.test(`${what}: both addresses are handed over without a gap`, async (t) => {
      const stopClients = await clients(t)
      const marks = [inside, outside].map((watch) => [watch, watch.mark] as const)
      const logMark = first.log.mark
      await gives()
      await owners('director2')
      const changes = await Promise.all(
        marks.map(async ([watch, mark]) => ({
          got: await watch.waitForChange('director2', true, SETTLE_MS, mark),
          gave: await watch.waitForChange('director1', false, SETTLE_MS, mark)
        }))
      )
      for (const { got, gave } of changes) {
        // The partner advertises itself before it adds the address: a few ms without it are possible.
        const ms = gave.at - got.at
        t.ok(ms > -100 && ms < 300, `given up ${ms} ms after the partner took it`)
      }
      const begun = first.log
        .since(logMark)
        .filter(({ reason }) => reason === 'hand-over-begun')
        .map(({ router }) => router)
      t.strictSame(begun.sort(), ['inside', 'outside'])
      const lost = await stopClients()
      // Only what is being answered in the very moment of the change can be lost.
      const from = Math.min(...changes.map(({ got }) => got.at)) - ANSWER_MS
      const to = Math.max(...changes.map(({ gave }) => gave.at)) + CLOCKS_MS
      t.comment(`${lost.length} lost: ${lost.map(({ at }) => at - to).join(' ')}`)
      t.strictSame(
        lost.filter(({ at }) => at < from || at > to),
        []
      )
      if (!goesOn) return
      await first.host.writeFile(HEALTHY, '')
      await owners('director1')
      t.match(await replayDirector(first), EVERYTHING, 'what it recorded replays')
    })
  }

  await t.test('a director that is killed leaves its recording, which replays', async (t) => {
    signalProcess(second.pid, 'SIGKILL')
    const file = await waitForRecording(second.host)
    t.match(await replayFile(second.host, file), EVERYTHING)
    t.match(await second.host.must('stat', '--format', '%a', file), /^640$/m)
    const mark = second.log.mark
    await start(second)
    await second.log.waitFor(
      ({ msg }) => msg === `admin: a recording of the last life is in ${file}`,
      'line about the recording',
      SETTLE_MS,
      mark
    )
  })
})

import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { Config, Track, VirtualRouterConfig } from '../../src/config/model.js'
import { DirectorHealth } from '../../src/director/health.js'
import type { RouterConditions } from '../../src/director/elections/conditions.js'
import { memoryLog, starter } from './notify/support.js'
import { PLAIN_ELECTION, ROUTER } from './elections/router-config.js'

const NOTHING = {
  role: null,
  routerId: 'director1',
  syncGroups: [],
  election: PLAIN_ELECTION,
  processes: [],
  files: [],
  serviceCheck: null,
  proxy: null,
  pidFile: null,
  admin: null
} as const

interface Setup {
  readonly health: DirectorHealth
  readonly conditions: () => RouterConditions
  readonly messages: () => readonly string[]
  readonly until: (is: (conditions: RouterConditions) => boolean) => Promise<RouterConditions>
}

/** A director whose one virtual router follows things; its checks run. */
function setup(t: Test, track: readonly Track[], config: Partial<Config>): Setup {
  const router: VirtualRouterConfig = { ...ROUTER, track }
  const { log, messages } = memoryLog()
  let heard = (): void => undefined
  const health = new DirectorHealth({
    config: { ...NOTHING, scripts: [], virtualRouters: [router], ...config },
    identityOf: () => ({ uid: undefined, gid: undefined }),
    starter: starter(),
    log,
    onChange: () => {
      heard()
    }
  })
  t.teardown(() => {
    health.stop()
  })
  const conditions = (): RouterConditions => health.conditionsOf(router)
  const until: Setup['until'] = async (is) => {
    while (!is(conditions())) await new Promise<void>((resolve) => (heard = resolve))
    return conditions()
  }
  return { health, conditions, messages, until }
}

const SCRIPT = {
  name: 'A',
  user: null,
  group: null,
  initFail: false,
  intervalMs: 50,
  timeoutMs: 2000,
  rise: 1,
  fall: 1
} as const

t.setTimeout(20_000)

t.test(
  'a script holds the router back until its first result, then lets it in and out',
  async (t) => {
    const folder = t.testdir({ pass: '' })
    const track: Track = { kind: 'script', check: 'A', weight: 0, reverse: false }
    const command = ['/usr/bin/test', '-e', `${folder}/pass`]
    const { health, conditions, until } = setup(t, [track], { scripts: [{ ...SCRIPT, command }] })
    t.match(conditions().faults, [{ isAwaited: true, what: 'script A has no result yet' }])
    health.start()
    await until(({ faults }) => faults.length === 0)
    rmSync(`${folder}/pass`)
    const { faults } = await until((each) => each.faults.length > 0)
    t.match(faults, [{ isAwaited: false, what: 'script A fails' }])
  }
)

t.test('keepalived: with init_fail a script has failed before it ran', (t) => {
  const track: Track = { kind: 'script', check: 'A', weight: -20, reverse: false }
  const scripts = [{ ...SCRIPT, command: ['/bin/true'], initFail: true }]
  t.match(setup(t, [track], { scripts }).conditions(), { priority: 80, serviceUp: false })
  t.end()
})

t.test(
  'a script that cannot be run fails, is told once, and counts again when it can',
  async (t) => {
    const folder = t.testdir({ script: '#!/bin/sh\n' })
    const track: Track = { kind: 'script', check: 'A', weight: -20, reverse: false }
    const scripts = [{ ...SCRIPT, command: [`${folder}/script`] }]
    const { health, until, messages } = setup(t, [track], { scripts })
    health.start()
    await until(({ priority }) => priority === 80)
    chmodSync(`${folder}/script`, 0o755)
    await until(({ priority }) => priority === 100)
    t.same(messages(), ['check fails', 'check passes'])
  }
)

t.test(
  'each check is told with its result, since when, and what the last failure said',
  async (t) => {
    const folder = t.testdir({ value: 'x' })
    const tracks: readonly Track[] = [
      { kind: 'script', check: 'A', weight: -20, reverse: false },
      { kind: 'file', check: 'F', weight: 1, reverse: false }
    ]
    const { health, until } = setup(t, tracks, {
      scripts: [{ ...SCRIPT, command: ['/bin/sh', '-c', 'exit 3'] }],
      files: [{ name: 'F', path: `${folder}/value`, initial: null }]
    })
    t.same(health.checks(), [
      { kind: 'script', name: 'A', passes: null, since: null, detail: null },
      { kind: 'file', name: 'F', passes: null, since: null, detail: null }
    ])
    health.linkChanged('eth2', false)
    health.start()
    const { effects } = await until(({ priority }) => priority === 80)
    t.match(effects, [
      { what: 'script A', verb: 'fails', detail: 'exited with status 3', added: -20 }
    ])
    writeFileSync(`${folder}/value`, '7')
    await until(({ priority }) => priority === 87)
    t.match(health.checks(), [
      { kind: 'script', name: 'A', passes: false, since: /Z$/, detail: 'exited with status 3' },
      { kind: 'file', name: 'F', passes: true, since: /Z$/, detail: 'says 7' },
      { kind: 'interface', name: 'eth2', passes: false, since: /Z$/, detail: 'is down' }
    ])
  }
)

t.test('files, processes and links count as well', async (t) => {
  const folder = t.testdir({ value: '5' })
  const process = {
    name: 'P',
    process: 'no-such-process',
    parameters: null,
    parameterMatch: 'exact' as const,
    fullCommand: false
  }
  const counts = { quorum: 1, quorumMax: Infinity, terminateDelayMs: 0, forkDelayMs: 0 }
  const track: readonly Track[] = [
    { kind: 'file', check: 'F', weight: 2, reverse: false },
    { kind: 'process', check: 'P', weight: -3, reverse: false },
    { kind: 'interface', check: 'eth2', weight: -40, reverse: false }
  ]
  const { health, conditions, until } = setup(t, track, {
    files: [{ name: 'F', path: `${folder}/value`, initial: null }],
    processes: [{ ...process, ...counts, intervalMs: 1000 }]
  })
  t.equal(conditions().priority, 100)
  health.start()
  await until(({ priority }) => priority === 107)
  writeFileSync(`${folder}/value`, '10')
  await until(({ priority }) => priority === 117)
  health.linkChanged('eth2', false)
  t.match(conditions(), { priority: 77, serviceUp: false, faults: [] })
  health.linkChanged('eth2', true)
  health.linkChanged('ens160', false)
  t.match(conditions().faults, [{ cause: 'own-interface', name: 'ens160' }])
})

t.test('the interfaces that count are those of the routers and those that are followed', (t) => {
  const eth2: Track = { kind: 'interface', check: 'eth2', weight: 0, reverse: false }
  const eth3: Track = { kind: 'interface', check: 'eth3', weight: 0, reverse: false }
  const group = {
    name: 'G',
    members: ['VI_1'],
    tracksWeights: false,
    track: [eth3],
    notify: ROUTER.notify
  }
  const routers = [
    { ...ROUTER, track: [eth2] },
    { ...ROUTER, interface: 'eth4', tracksInterface: false }
  ]
  const config = { ...NOTHING, scripts: [], virtualRouters: routers, syncGroups: [group] }
  t.same(DirectorHealth.interfacesOf(config), ['ens160', 'eth2', 'eth3'])
  t.end()
})

t.test(
  'a reload keeps what is the same; what is another check holds the last result until it has one',
  async (t) => {
    const folder = t.testdir({ pass: '' })
    const track: Track[] = [
      { kind: 'script', check: 'A', weight: 0, reverse: false },
      { kind: 'script', check: 'B', weight: -20, reverse: false }
    ]
    const fine = { ...SCRIPT, command: ['/usr/bin/test', '-e', `${folder}/pass`] }
    const slow = { ...SCRIPT, name: 'B', intervalMs: 600_000, command: ['/bin/false'] }
    const config = { ...NOTHING, scripts: [fine, slow], virtualRouters: [{ ...ROUTER, track }] }
    const { health, conditions, until, messages } = setup(t, track, config)
    health.start()
    await until(({ faults, priority }) => faults.length === 0 && priority === 80)
    const told = messages().length
    const hangs = { ...fine, command: ['/bin/sleep', '60'], timeoutMs: 1500 }
    health.reconfigure({ ...config, scripts: [hangs, slow] }, () => ({
      uid: undefined,
      gid: undefined
    }))
    t.match(
      conditions(),
      { priority: 80, faults: [] },
      'the new one has not answered: nothing fails'
    )
    t.equal(messages().length, told, 'and the other one did not run again')
    const { faults } = await until((each) => each.faults.length > 0)
    t.match(faults, [{ what: 'script A fails', isAwaited: false }])
    health.reconfigure({ ...config, scripts: [slow] }, () => ({ uid: undefined, gid: undefined }))
    const taking = health.conditionsOf({ ...ROUTER, track }, true)
    t.match(taking, { faults: [] }, 'who takes part is not thrown out for what has no result yet')
  }
)

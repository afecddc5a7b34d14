import t from 'tap'
import type { SyncGroup, Track, VirtualRouterConfig } from '../../src/config/model.js'
import { conditionsOf, type Readings } from '../../src/director/elections/conditions.js'
import { ROUTER } from '../director/elections/router-config.js'
import type { Host } from '../netns/lab/host.js'
import { Lab } from '../netns/lab/lab.js'
import { cannotRun } from '../netns/lab/requirements.js'

const FOLDER = '/run/tracking'
const FIFO = `${FOLDER}/fifo`
/** keepalived runs its script every second. */
const AGREE_MS = 8000
const LOOK_AGAIN_MS = 50

/** A virtual router of the comparison: what it follows, and the group that it is in. */
interface Case {
  readonly name: string
  readonly priority: number
  readonly track: readonly Track[]
  readonly group: string | null
}

const NAMES = { script: 'A', file: 'F', interface: 'eth2' }
type Kind = keyof typeof NAMES

function follow(kind: Kind, weight: number, reverse = false): Track {
  return { kind, check: NAMES[kind], weight, reverse }
}

const each: readonly Case[] = (['script', 'file', 'interface'] as const).flatMap((kind) =>
  [20, -20, 0].flatMap((weight) =>
    [false, true].map((reverse) => ({
      name: `${kind}_${weight}${reverse ? '_reverse' : ''}`.replace('-', 'minus'),
      priority: 100,
      track: [follow(kind, weight, reverse)],
      group: null
    }))
  )
)

const owners: readonly Case[] = [
  { name: 'owner_script', priority: 255, track: [follow('script', -20)], group: null },
  { name: 'owner_file', priority: 255, track: [follow('file', 2)], group: null },
  { name: 'owner_interface', priority: 255, track: [follow('interface', -20)], group: null }
]

const both: readonly Case[] = [
  { name: 'both', priority: 100, track: [follow('script', -20), follow('file', 3)], group: null }
]

/** Of each group the first member follows the script, the second one nothing. */
const members: readonly Case[] = ['ignores', 'weighs', 'follows', 'faults'].flatMap((group) => {
  const isOwn = group === 'ignores' || group === 'weighs'
  return [
    {
      name: `${group}_1`,
      priority: 100,
      track: isOwn ? [follow('script', -20)] : [],
      group
    },
    { name: `${group}_2`, priority: 100, track: [], group }
  ]
})

const cases: readonly Case[] = [...each, ...owners, ...both, ...members]

const groups: readonly SyncGroup[] = [
  { ...groupOf('ignores'), tracksWeights: false },
  { ...groupOf('weighs'), tracksWeights: true },
  { ...groupOf('follows'), track: [follow('script', -20)] },
  { ...groupOf('faults'), track: [follow('script', 0)] }
]

function groupOf(name: string): SyncGroup {
  const names = [`${name}_1`, `${name}_2`]
  return { name, members: names, tracksWeights: false, track: [], notify: ROUTER.notify }
}

function keepalivedConf(): string {
  return [
    'global_defs {',
    '  router_id director1',
    '  script_user root',
    '  vrrp_notify_priority_changes on',
    `  vrrp_notify_fifo ${FIFO}`,
    '}',
    'vrrp_script A {',
    `  script "${FOLDER}/check"`,
    '  interval 1',
    '}',
    'vrrp_track_file F {',
    `  file ${FOLDER}/value`,
    '}',
    ...groups.flatMap((group) => [
      `vrrp_sync_group ${group.name} {`,
      '  group {',
      ...group.members.map((name) => `    ${name}`),
      '  }',
      ...(group.tracksWeights ? ['  sync_group_tracking_weight'] : []),
      ...trackBlocks(group.track),
      '}'
    ]),
    ...cases.flatMap(({ name, priority, track }, index) => [
      `vrrp_instance ${name} {`,
      `  state ${priority === 255 ? 'MASTER' : 'BACKUP'}`,
      '  interface ens160',
      `  virtual_router_id ${index + 1}`,
      `  priority ${priority}`,
      '  virtual_ipaddress {',
      `    192.168.64.${100 + index}`,
      '  }',
      ...trackBlocks(track),
      '}'
    ]),
    ''
  ].join('\n')
}

function trackBlocks(tracks: readonly Track[]): readonly string[] {
  return tracks.flatMap(({ kind, check, weight, reverse }) => [
    `  track_${kind} {`,
    `    ${check} weight ${weight}${reverse ? ' reverse' : ''}`,
    '  }'
  ])
}

/** What our rules make of the readings: the priority, or FAULT. */
function ourVerdicts(readings: Readings): ReadonlyMap<string, string> {
  return new Map(
    cases.map(({ name, priority, track, group }) => {
      const router: VirtualRouterConfig = { ...ROUTER, name, priority, track }
      const sync = groups.find((each) => each.name === group) ?? null
      const conditions = conditionsOf(router, sync, readings)
      return [name, conditions.faults.length > 0 ? 'FAULT' : String(conditions.priority)]
    })
  )
}

/** What keepalived said last of each virtual router; one that never came out of its fault says nothing. */
function itsVerdicts(lines: readonly string[]): ReadonlyMap<string, string> {
  const verdicts = new Map(cases.map(({ name }) => [name, 'FAULT']))
  for (const line of lines) {
    const [, name, event, priority] = /^INSTANCE "(.*)" (\w+) (\d+)$/.exec(line) ?? []
    if (name === undefined || event === undefined || priority === undefined) continue
    // A change of priority is told in fault too, as BACKUP_PRIORITY.
    const staysInFault = event.endsWith('_PRIORITY') && verdicts.get(name) === 'FAULT'
    verdicts.set(name, event === 'FAULT' || staysInFault ? 'FAULT' : priority)
  }
  return verdicts
}

/** A state of the machine, and how it is brought about. */
interface Phase {
  readonly title: string
  readonly passes: boolean
  /** Null for no file. */
  readonly file: string | null
  readonly value: number
}

const PHASES: readonly Phase[] = [
  { title: 'all is well', passes: true, file: '5', value: 5 },
  { title: 'all fails', passes: false, file: '-100', value: -100 },
  { title: 'the file says 0', passes: false, file: '0', value: 0 },
  { title: 'the file says 300', passes: false, file: '300', value: 300 },
  { title: 'the file says 7 and more', passes: false, file: '7xyz', value: 7 },
  { title: 'the file says 0x10', passes: true, file: '0x10', value: 16 },
  { title: 'the file says nothing that is a number', passes: true, file: 'abc', value: 0 },
  { title: 'the file is -12', passes: true, file: '-12', value: -12 },
  { title: 'the file is gone', passes: true, file: null, value: 0 }
]

async function bringAbout(host: Host, { passes, file }: Phase): Promise<void> {
  if (file === null) await host.removeFile(`${FOLDER}/value`)
  else await host.must('sh', '-c', `echo '${file}' > ${FOLDER}/value`)
  await host.writeFile(`${FOLDER}/check`, `#!/bin/sh\nexit ${passes ? 0 : 1}\n`, 0o755)
  await host.must('ip', 'link', 'set', 'dev', 'eth2', passes ? 'up' : 'down')
}

t.setTimeout(150_000)

await t.test(
  'keepalived and tsha make the same of everything that is followed',
  { skip: cannotRun('keepalived', 'mkfifo') },
  async (t) => {
    const lab = await Lab.create()
    t.teardown(() => lab.close())
    const host = lab.host('director1')
    await host.must('ip', 'link', 'add', 'eth2', 'type', 'veth', 'peer', 'name', 'eth3')
    await host.must('ip', 'link', 'set', 'dev', 'eth3', 'up')
    await host.must('mkdir', FOLDER)
    await host.must('mkfifo', '-m', '600', FIFO)
    await host.writeFile('/etc/keepalived/keepalived.conf', keepalivedConf())
    const reader = await host.spawn('cat', [FIFO])
    const [first] = PHASES
    if (first) await bringAbout(host, first)
    await host.spawn('keepalived', ['--dont-fork', '--log-console', '-n'])
    for (const phase of PHASES) {
      await bringAbout(host, phase)
      const ours = ourVerdicts({
        service: null,
        scripts: new Map([['A', phase.passes]]),
        processes: new Map(),
        files: new Map([['F', phase.value]]),
        links: new Map([['eth2', phase.passes]]),
        results: new Map()
      })
      const its = (): object => Object.fromEntries(itsVerdicts(reader.stdout.split('\n')))
      const wanted = JSON.stringify(Object.fromEntries(ours))
      const deadline = Date.now() + AGREE_MS
      while (JSON.stringify(its()) !== wanted && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
      }
      t.same(its(), Object.fromEntries(ours), `${phase.title}: ${cases.length} virtual routers`)
    }
  }
)

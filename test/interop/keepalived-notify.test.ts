import t from 'tap'
import type { Command, Notify } from '../../src/config/model.js'
import { Notifier } from '../../src/director/notify/notifier.js'
import type { FifoEvent } from '../../src/director/notify/messages.js'
import { Diary, memoryLog, starter } from '../director/notify/support.js'
import type { Host } from '../netns/lab/host.js'
import { Lab } from '../netns/lab/lab.js'
import type { LabProcess } from '../netns/lab/lab-process.js'
import { cannotRun } from '../netns/lab/requirements.js'

const FOLDER = '/run/notify'
const FIFO = `${FOLDER}/fifo`
const WAIT_MS = 15_000
/** Classic BPF over an Ethernet frame: IP protocol 112 (offset 23) gives 2, TC_ACT_SHOT; all else 0. */
const DROP_VRRP = '4,48 0 0 23,21 0 1 112,6 0 0 2,6 0 0 0'

/** Writes its arguments down; a notify script of both products. */
const SCRIPT = (diary: string): string => `#!/bin/sh\necho "$@" >> ${diary}\n`

const NOTIFIED = ['master', 'backup', 'fault', 'stop'] as const

function notifyLines(who: string, isGroup: boolean): readonly string[] {
  return [
    ...NOTIFIED.map((state) => `  notify_${state} "${FOLDER}/script ${who} ${state}"`),
    `  notify "${FOLDER}/script ${who} any"`,
    ...(isGroup ? [] : [`  notify_master_rx_lower_pri "${FOLDER}/script ${who} rx_lower_pri"`])
  ]
}

function keepalivedConf(): string {
  return [
    'global_defs {',
    '  router_id director1',
    '  script_user root',
    '  vrrp_notify_priority_changes on',
    `  vrrp_notify_fifo ${FIFO}`,
    '}',
    ...['weighted', 'needed'].flatMap((name) => [
      `vrrp_script ${name} {`,
      `  script "/usr/bin/test -e ${FOLDER}/${name}"`,
      '  interval 1',
      '}'
    ]),
    'vrrp_sync_group G1 {',
    '  group {',
    '    VI_1',
    '  }',
    '  track_script {',
    '    weighted weight -20',
    '    needed',
    '  }',
    ...notifyLines('group', true),
    '}',
    'vrrp_instance VI_1 {',
    '  state BACKUP',
    '  interface ens160',
    '  virtual_router_id 51',
    '  priority 100',
    '  virtual_ipaddress {',
    '    192.168.64.200',
    '  }',
    ...notifyLines('instance', false),
    '}',
    ''
  ].join('\n')
}

const WEAK_PARTNER = `
vrrp_instance VI_1 {
  state BACKUP
  interface ens160
  virtual_router_id 51
  priority 50
  virtual_ipaddress {
    192.168.64.200
  }
}
`

/** The same programs as the model has them. */
function notifyOf(script: string, who: string): Notify {
  const command = (what: string): Command => ({
    command: [script, who, what],
    user: null,
    group: null
  })
  return {
    master: command('master'),
    backup: command('backup'),
    fault: command('fault'),
    stop: command('stop'),
    deleted: null,
    any: command('any'),
    masterRxLowerPriority: command('rx_lower_pri')
  }
}

/** Plays a story with the real keepalived; what it wrote to its pipe, and what its scripts were told. */
async function playWithKeepalived(
  lab: Lab
): Promise<{ readonly lines: readonly string[]; readonly scripts: readonly string[] }> {
  const [host, partner] = [lab.host('director1'), lab.host('director2')]
  await host.must('mkdir', FOLDER)
  await host.must('mkfifo', '-m', '600', FIFO)
  await host.writeFile(`${FOLDER}/script`, SCRIPT(`${FOLDER}/diary`), 0o755)
  await host.must('touch', `${FOLDER}/diary`, `${FOLDER}/weighted`, `${FOLDER}/needed`)
  await host.writeFile('/etc/keepalived/keepalived.conf', keepalivedConf())
  await partner.writeFile('/etc/keepalived/keepalived.conf', WEAK_PARTNER)
  const pipe = await host.spawn('cat', [FIFO])
  const keepalived = await startKeepalived(host)

  await said(pipe, 0, 'GROUP "G1" MASTER 0')
  await change(pipe, 'INSTANCE "VI_1" MASTER_PRIORITY 80', () =>
    host.removeFile(`${FOLDER}/weighted`)
  )
  await change(pipe, 'INSTANCE "VI_1" MASTER_PRIORITY 100', () =>
    host.writeFile(`${FOLDER}/weighted`, '')
  )

  // A partner that hears nobody becomes master beside us; one advertisement of it is enough.
  const filter = ['filter', 'add', 'dev', 'ens160', 'ingress', 'bpf', 'da', 'bytecode', DROP_VRRP]
  await partner.must('tc', 'qdisc', 'add', 'dev', 'ens160', 'clsact')
  await partner.must('tc', ...filter)
  await change(pipe, 'INSTANCE "VI_1" MASTER_RX_LOWER_PRI 100', () => startKeepalived(partner))
  await lab.blackhole('director2')

  await change(pipe, 'GROUP "G1" FAULT 0', () => host.removeFile(`${FOLDER}/needed`))
  await change(pipe, 'GROUP "G1" MASTER 0', () => host.writeFile(`${FOLDER}/needed`, ''))
  await change(pipe, 'GROUP "G1" FAULT 0', () => lab.cutLink('director1'))
  await change(pipe, 'GROUP "G1" MASTER 0', () => lab.heal('director1'))
  await change(pipe, 'GROUP "G1" STOP 0', () => keepalived.stop())
  const lines = pipe.stdout.split('\n').slice(0, -1)
  return { lines, scripts: (await host.readFile(`${FOLDER}/diary`)).split('\n').slice(0, -1) }
}

async function startKeepalived(host: Host): Promise<LabProcess> {
  return host.spawn('keepalived', ['--dont-fork', '--log-console', '--log-detail'])
}

/** Does something, and waits for the line that it leads to. */
async function change(pipe: LabProcess, line: string, act: () => Promise<unknown>): Promise<void> {
  const { mark } = pipe.lines
  await act()
  await said(pipe, mark, line)
}

async function said(pipe: LabProcess, mark: number, line: string): Promise<void> {
  await pipe.lines.waitFor(({ text }) => text === line, line, WAIT_MS, mark)
}

/** Tells our notifier of the same changes. */
function tell(notifier: Notifier, line: string, script: string): void {
  const [, kind, name = '', event, text] = /^(\w+) "(.*)" (\w+) (\d+)$/.exec(line) ?? []
  const priority = Number(text)
  const notify = notifyOf(script, kind === 'GROUP' ? 'group' : 'instance')
  const what = event as FifoEvent
  switch (what) {
    case 'MASTER_PRIORITY':
    case 'BACKUP_PRIORITY':
      notifier.priorityChanged(name, what === 'MASTER_PRIORITY', priority)
      break
    case 'MASTER_RX_LOWER_PRI':
      notifier.masterRxLowerPriority(name, priority, notify)
      break
    default:
      notifier.stateChanged(kind === 'GROUP' ? 'GROUP' : 'INSTANCE', name, what, priority, notify)
  }
}

t.setTimeout(150_000)

await t.test(
  'for the same story keepalived and tsha write the same lines and run the same scripts',
  { skip: cannotRun('keepalived', 'mkfifo') },
  async (t) => {
    const lab = await Lab.create()
    t.teardown(() => lab.close())
    const its = await playWithKeepalived(lab)
    t.comment(its.lines.join('\n'))

    const folder = t.testdir()
    const diary = new Diary(`${folder}/diary`)
    const script = `${folder}/script`
    const { writeFileSync } = await import('node:fs')
    writeFileSync(script, SCRIPT(diary.path), { mode: 0o755 })
    const { log, messages } = memoryLog()
    const notifier = await Notifier.open({
      fifo: { path: `${folder}/fifo`, user: null, group: null, reader: null },
      identityOf: () => ({ uid: undefined, gid: undefined }),
      starter: starter(),
      log
    })
    const reader = await lab.host('client').spawn('cat', [`${folder}/fifo`])
    for (const line of its.lines) tell(notifier, line, script)
    await said(reader, 0, 'GROUP "G1" STOP 0')
    await notifier.stop()

    t.same(reader.stdout.split('\n').slice(0, -1), its.lines)
    // keepalived starts its scripts side by side, so their order is not its own.
    t.same([...diary.lines()].sort(), [...its.scripts].sort())
    t.ok(its.scripts.length > 20, `${its.scripts.length} scripts`)
    t.same(messages(), [])
  }
)

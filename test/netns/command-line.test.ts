import t, { type Test } from 'tap'
import type { Status } from '../../src/admin/model.js'
import { masked, tsha, type Said } from './lab/command-line.js'
import { Lab } from './lab/lab.js'
import { ON_DIRECTOR } from './lab/pair-files.js'
import { replayDirector } from './lab/recording.js'
import { cannotRun } from './lab/requirements.js'
import { OLD_FILES, TshaDirector, WATCHED, type LogLine } from './lab/tsha.js'

t.setTimeout(90_000)

const START_MS = 15_000

/** The sentences of a change of state, without its times. */
function becauseIn(line: LogLine): readonly string[] {
  return masked(line['because'] as readonly string[])
}

/** What commands print that do what they were told, each one typed after the one before. */
async function say(
  t: Test,
  director: TshaDirector,
  ...commands: readonly string[]
): Promise<readonly string[]> {
  const out: string[] = []
  for (const command of commands) {
    const said = await tsha(director, command)
    t.match(said, { code: 0, err: [] }, `tsha ${command}`)
    out.push(...masked(said.out))
  }
  return out
}

/**
 * Without what differs each time: the ids of workers, what a virtual router waits for, and the version. What
 * else runs on this machine may hold an advertisement up, which is told, and is no part of the claims.
 */
function steady(lines: readonly string[]): readonly string[] {
  return calm(lines).map((line) =>
    line
      .replace(/ tsha \d+\.\d+\.\d+,/, ' tsha VERSION,')
      .replace(/^ +\d+ {2}(?=listening)/, '  PID  ')
      .replace(/(advertisement|master-down) in SPAN/, '$1')
  )
}

function calm(lines: readonly string[]): readonly string[] {
  const others = lines.filter((line) => !LATE.test(line))
  if (others.length === lines.length) return lines
  const problems = others.filter((line) => line.startsWith('  ! ')).length
  const [title = '', blank = '', ...rest] = others
  const [known, next] = problems === 0 ? ['all is well', 1] : [`${problems} problems`, 0]
  return [title.replace(/\d+ problems?/, known), blank, ...rest.slice(next)]
}

const LATE = /^ {2}! an advertisement of virtual router nginx left SPAN late, SPAN ago$/
/** The exit code and the line of a monitoring plugin, likewise. */
function checkOf({ code, out: [line = ''] }: Said): readonly [number | null, string] {
  const late = / an advertisement of virtual router nginx left \d+ ms late, \d+ s ago(;| \|)/
  const [found, end] = late.exec(line) ?? []
  if (found === undefined) return [code, line.replace('TSHA ', '')]
  // Where it is all that is wrong, it stands in the place of who holds what.
  const isAll = line.startsWith('TSHA WARNING - an') && end === ' |'
  return isAll
    ? [0, line.replace('TSHA WARNING -', 'OK -')]
    : [code, line.replace('TSHA ', '').replace(found, '')]
}

const ROUTER = 'TIME INFO  virtual-router nginx:'
const EVENTS_OF_BACKUP = [
  `${ROUTER} vrrp state change vrid=51 from=initialize to=backup reason=startup priority=90 because=["no other master is heard; we take over if that stays so","we were started at TIME and listen before we take over"]`,
  `${ROUTER} effective priority changed vrid=51 priority=95 before=90 serviceUp=true`,
  `${ROUTER} effective priority changed vrid=51 priority=1 before=95 serviceUp=true because=["an administrator has it stand back until it is resumed"]`,
  'TIME ERROR director: reload refused: the old configuration stays problems=["/etc/keepalived/keepalived.conf:24:14: priority 300 is out of range; use 1 to 255 [TSHA_E_VALUE]","/etc/keepalived/keepalived.conf:25:5: directive \\"unknown_word\\" is not supported [TSHA_E_NOT_SUPPORTED]"]',
  'TIME INFO  director: configuration reloaded changes=["virtual router nginx: priority 90 -> 85","upstream web server 192.168.64.143:80: max_fails 2 -> 3"]',
  `${ROUTER} effective priority changed vrid=51 priority=95 before=1 serviceUp=true`,
  `${ROUTER} effective priority changed vrid=51 priority=85 before=95 serviceUp=true`,
  `${ROUTER} vrrp state change vrid=51 from=backup to=master reason=priority-zero priority=85 because=["192.168.64.130 advertised priority 0 at TIME: it gave the addresses up by itself (it was stopped, handed them over, or has a fault)","until then it advertised priority 100, last at TIME"]`
]

const PROXY_LINES = [
  'Upstream web (round_robin, 2 of 2 peers up)',
  '  PEER  STATE  IN FLIGHT  FAILS  REQ/S  P50  P99  WEIGHT',
  '  192.168.64.143:80  up  0  0/2  0  -  -  1',
  '  192.168.64.138:80  up  0  0/2  0  -  -  1',
  '',
  'Listeners',
  '  LISTEN  CLIENTS  REQ/S  P50  P99  REQUESTS  SERVERS',
  '  0.0.0.0:80  0  0  -  -  0  _',
  '',
  'Workers',
  '  PID  STATE  CLIENTS  UP',
  '  PID  listening  0  SPAN',
  '  PID  listening  0  SPAN',
  '',
  'configuration HASH, loaded TIME from /etc/keepalived/keepalived.conf, /etc/nginx/nginx.conf'
]

const ROUTERS_HEAD = [
  'Virtual routers',
  '  NAME  STATE  SINCE  PRIORITY  MASTER  INTERFACE  VRID  WAITS FOR  ADDRESSES'
]

const CHECK_LINES = [
  'Checks',
  '  KIND  NAME  RESULT  SINCE',
  '  service  service  passes  TIME',
  '  interface  ens160  passes  TIME'
]

const STATUS_OF_MASTER = [
  'NGINX_MASTER (master)  all is well  tsha VERSION, up SPAN',
  '',
  'nginx: MASTER since TIME (SPAN)',
  '  this director holds 192.168.64.200/24',
  '  because no master was heard since TIME, when we began to listen',
  '',
  ...ROUTERS_HEAD,
  '  nginx  MASTER  TIME  100  this one  ens160  51  advertisement  192.168.64.200/24',
  '',
  ...CHECK_LINES,
  '',
  ...PROXY_LINES
]

const STATUS_OF_BACKUP = [
  'NGINX_BACKUP (backup)  all is well  tsha VERSION, up SPAN',
  '',
  'nginx: BACKUP since TIME (SPAN)',
  '  192.168.64.130 holds 192.168.64.200/24 (priority 100, last heard SPAN ago)',
  '  because 192.168.64.130 is master with priority 100, more than our 90',
  '  because we were started at TIME and listen before we take over',
  '',
  ...ROUTERS_HEAD,
  '  nginx  BACKUP  TIME  90  192.168.64.130  ens160  51  master-down  192.168.64.200/24',
  '',
  ...CHECK_LINES,
  '',
  ...PROXY_LINES
]

await t.test(
  'the command line tells of a pair, and changes it',
  { skip: cannotRun('nginx') },
  async (t) => {
    const lab = await Lab.create()
    t.teardown(() => lab.close())
    const master = new TshaDirector(lab.host('director1'), 'master', OLD_FILES, WATCHED)
    const backup = new TshaDirector(lab.host('director2'), 'backup', OLD_FILES, WATCHED)
    await Promise.all([lab.web1.start(), lab.web2.start(), master.start()])
    // Half a second later, so that it is never the first to take over.
    await backup.start()
    await lab.watch.waitForOwners(['director1'], START_MS)
    await Promise.all([master.waitForWorkers(2), backup.waitForWorkers(2)])
    const both = async (command: string): Promise<readonly [Said, Said]> =>
      Promise.all([tsha(master, command), tsha(backup, command)])

    await t.test('status, why and --check of both, while all is well', async (t) => {
      const [ofMaster, ofBackup] = await both('status')
      t.strictSame(steady(masked(ofMaster.out)), STATUS_OF_MASTER)
      t.strictSame(steady(masked(ofBackup.out)), STATUS_OF_BACKUP)
      const [whyMaster, whyBackup] = await both('why nginx')
      t.strictSame(masked(whyMaster.out), [
        'nginx: MASTER since TIME (SPAN) [master-down-expired]',
        '  because no master was heard since TIME, when we began to listen',
        '  this director holds 192.168.64.200/24.',
        '  Priority',
        '    100  configured',
        '    100  effective'
      ])
      t.strictSame(masked(whyBackup.out), [
        'nginx: BACKUP since TIME (SPAN) [startup]',
        '  because 192.168.64.130 is master with priority 100, more than our 90',
        '    because we were started at TIME and listen before we take over',
        '  192.168.64.130 holds 192.168.64.200/24 (priority 100, last heard SPAN ago).',
        '  Priority',
        '     90  configured',
        '     90  effective',
        '  Heard as master',
        '  192.168.64.130, priority 100, last heard SPAN ago',
        '  silent for SPAN, it is taken for dead (Master_Down_Interval)'
      ])
      const [okMaster, okBackup] = await both('status --check')
      t.match(checkOf(okMaster), [
        0,
        /^OK - (?:nginx is MASTER of 192\.168\.64\.200\/24|an adv.* ago) \| masters=1 peers_up=2 peers=2 /
      ])
      t.match(checkOf(okBackup), [
        0,
        /^OK - (?:nginx is BACKUP of 192\.168\.64\.200\/24|an adv.* ago) \| masters=0 peers_up=2 peers=2 /
      ])
    })

    await t.test('peers: weight, drain until nothing is in flight, up', async (t) => {
      const load = await lab.steadyClient({ rate: 50 })
      await load.waitForAnswer(Date.now() + 200, 5000)
      const [title, , , head, listener, , , ...peers] = await say(t, master, 'top')
      t.match(title, /^NGINX_MASTER \(master\) .* tsha \S+, up SPAN$/)
      t.equal(
        head,
        '  LISTEN  CLIENTS  REQ/S  1XX  2XX  3XX  4XX  5XX  NONE  P50  P99  IN/S  OUT/S'
      )
      t.match(
        listener,
        /^ {2}0\.0\.0\.0:80 {2}\d+ {2}[345]\d\.\d {2}0 {2}[345]\d\.\d {2}0 {2}0 {2}0 {2}0 {2}SPAN {2}SPAN {2}\S+ k?B {2}\S+ k?B$/
      )
      t.match(peers, [
        /^ {2}192\.168\.64\.143:80 {2}up {2}web {2}\d+ {2}[12]\d\.\d /,
        /^ {2}192\.168\.64\.138:80 {2}up {2}web {2}\d+ {2}[12]\d\.\d /
      ])
      t.strictSame(
        await say(t, master, 'weight 192.168.64.143 3', 'weight web/192.168.64.143:80 default'),
        [
          'web 192.168.64.143:80 has weight 3 in the place of the configured 1, until another order or a restart of tsha',
          'web 192.168.64.143:80 has its configured weight 1 again'
        ]
      )
      const drained = await tsha(master, 'drain 192.168.64.143 --wait')
      t.match(drained.code, 0)
      t.strictSame(masked(drained.out), [
        'web 192.168.64.143:80 drains: it takes no new requests',
        'no request is in flight',
        'web/192.168.64.143:80: nothing in flight any more, after SPAN'
      ])
      const bodies = (await lab.get(4)).map(({ body }) => body)
      t.strictSame(bodies, Array(4).fill(lab.web2.answer))
      const [check, unknown] = await Promise.all([
        tsha(master, 'status --check'),
        tsha(master, 'drain 192.168.64.1')
      ])
      t.match(checkOf(check), [
        1,
        /^WARNING - server 192\.168\.64\.143:80 of upstream web gets no new clients \(drain\); /
      ])
      t.strictSame(unknown, {
        code: 2,
        out: [],
        err: [
          'tsha: 192.168.64.1 can be several peers; name one of them, or all with --all: [TSHA_E_UNKNOWN_NAME]',
          '  web/192.168.64.143:80',
          '  web/192.168.64.138:80'
        ]
      })
      t.strictSame(await say(t, master, 'up 192.168.64.143'), [
        'web 192.168.64.143:80 is up (was draining): it takes requests, and what failed is forgotten'
      ])
      t.strictSame((await load.stop()).failures, {})
    })

    await t.test('a reload: what changed, what is wrong, and what stays', async (t) => {
      const before = await statusOf(backup)
      t.strictSame(await say(t, backup, 'priority nginx 95', 'step-down', 'drain 192.168.64.143'), [
        'nginx: priority 95 in the place of the configured 90, until another order or a restart of tsha',
        'nginx: was not master: the addresses are with 192.168.64.130',
        'nginx: stepped down until resume or a restart of tsha; master only while nobody else is',
        'web 192.168.64.143:80 drains: it takes no new requests',
        'no request is in flight'
      ])
      const text = await backup.host.readFile(ON_DIRECTOR.keepalived)
      const wrong = text.replace('priority 90', 'priority 300\n    unknown_word 3')
      await backup.host.writeFile(ON_DIRECTOR.keepalived, wrong)
      t.strictSame(await tsha(backup, 'reload'), {
        code: 2,
        out: [],
        err: [
          'tsha: the configuration is wrong [TSHA_E_CONFIG_REFUSED]',
          '  /etc/keepalived/keepalived.conf:24:14: priority 300 is out of range; use 1 to 255 [TSHA_E_VALUE]',
          '  /etc/keepalived/keepalived.conf:25:5: directive "unknown_word" is not supported [TSHA_E_NOT_SUPPORTED]'
        ]
      })
      const refused = await statusOf(backup)
      t.equal(refused.configuration.hash, before.configuration.hash)
      t.match(refused.configuration.last_reload, { ok: false })
      await backup.host.writeFile(
        ON_DIRECTOR.keepalived,
        text.replace('priority 90', 'priority 85')
      )
      const nginx = await backup.host.readFile(ON_DIRECTOR.nginx)
      await backup.host.writeFile(ON_DIRECTOR.nginx, nginx.replace('max_fails=2', 'max_fails=3'))
      const lines = await say(t, backup, 'reload')
      t.strictSame(lines, [
        'virtual router nginx: priority 90 -> 85',
        'upstream web server 192.168.64.143:80: max_fails 2 -> 3'
      ])
      const after = await statusOf(backup)
      t.not(after.configuration.hash, before.configuration.hash)
      t.match(after.configuration.last_reload, { ok: true, lines })
      t.match(after, {
        virtual_routers: [
          {
            configured_priority: 85,
            priority_override: 95,
            effective_priority: 1,
            stepped_down: true
          }
        ],
        proxy: { upstreams: [{ peers: [{ state: 'drain' }, { state: 'up' }] }] }
      })
      t.strictSame(await say(t, backup, 'resume', 'priority nginx default', 'up 192.168.64.143'), [
        'nginx: takes part as configured again: it stays backup: 192.168.64.130 has priority 100, and it 95; priority 95 set by an administrator holds',
        'nginx: the configured priority 85 holds again',
        'web 192.168.64.143:80 is up (was draining): it takes requests, and what failed is forgotten'
      ])
    })

    await t.test(
      'the proxy of the master is killed: both know why the addresses moved',
      async (t) => {
        const marks = { master: master.log.mark, backup: backup.log.mark }
        await master.stopProxy()
        const taken = await backup.waitForState('master', 15_000, marks.backup)
        const given = await master.waitForState('backup', 15_000, marks.master)
        // Director 1 has .130, director 2 has .134.
        t.strictSame(becauseIn(taken), [
          '192.168.64.130 advertised priority 0 at TIME: it gave the addresses up by itself (it was stopped, handed them over, or has a fault)',
          'until then it advertised priority 100, last at TIME'
        ])
        t.strictSame(becauseIn(given), [
          'we handed the addresses over at TIME: 192.168.64.134 advertised priority 85',
          'the service check fails since TIME: connect ECONNREFUSED 127.0.0.1:80',
          'it takes 20 from the priority 100, so 80',
          '192.168.64.134 is master with priority 85, more than our 80'
        ])
        const [whyMaster, whyBackup] = await both('why')
        t.strictSame(masked(whyMaster.out), [
          'nginx: BACKUP since TIME (SPAN) [hand-over-answered]',
          '  because we handed the addresses over at TIME: 192.168.64.134 advertised priority 85',
          '    because the service check fails since TIME: connect ECONNREFUSED 127.0.0.1:80',
          '      because it takes 20 from the priority 100, so 80',
          '        because 192.168.64.134 is master with priority 85, more than our 80',
          '  192.168.64.134 holds 192.168.64.200/24 (priority 85, last heard SPAN ago).',
          '  Priority',
          '    100  configured',
          '    -20  the service check fails: connect ECONNREFUSED 127.0.0.1:80',
          '     80  effective',
          '  Heard as master',
          '  192.168.64.134, priority 85, last heard SPAN ago',
          '  silent for SPAN, it is taken for dead (Master_Down_Interval)'
        ])
        t.strictSame(masked(whyBackup.out), [
          'nginx: MASTER since TIME (SPAN) [priority-zero]',
          '  because 192.168.64.130 advertised priority 0 at TIME: it gave the addresses up by itself (it was stopped, handed them over, or has a fault)',
          '    because until then it advertised priority 100, last at TIME',
          '  this director holds 192.168.64.200/24.',
          '  Priority',
          '     85  configured',
          '     85  effective'
        ])
        const [status, check, checkBackup] = await Promise.all([
          tsha(master, 'status'),
          tsha(master, 'status --check'),
          tsha(backup, 'status --check')
        ])
        t.strictSame(calm(masked(status.out)).slice(1, 10), [
          '',
          '  ! the proxy serves nobody: no worker listens',
          '  ! the service check fails: connect ECONNREFUSED 127.0.0.1:80',
          '  ! virtual router nginx is backup only because the service check fails: connect ECONNREFUSED 127.0.0.1:80 (priority 80 instead of 100)',
          '',
          'nginx: BACKUP since TIME (SPAN)',
          '  192.168.64.134 holds 192.168.64.200/24 (priority 85, last heard SPAN ago)',
          '  because we handed the addresses over at TIME: 192.168.64.134 advertised priority 85',
          '  because the service check fails since TIME: connect ECONNREFUSED 127.0.0.1:80'
        ])
        t.match(checkOf(check), [
          2,
          /^CRITICAL - the proxy serves nobody: no worker listens; the service check fails/
        ])
        t.match(checkOf(checkBackup), [
          0,
          /^OK - (?:nginx is MASTER of 192\.168\.64\.200\/24|an adv.* ago) \| masters=1 /
        ])
        const events = await say(t, backup, 'events')
        t.strictSame(
          events.filter((line) =>
            /state change|priority changed|reloaded|reload refused/.test(line)
          ),
          EVENTS_OF_BACKUP
        )
        const errors = await say(t, master, 'events --level error -n 1')
        t.match(errors, [
          /^TIME ERROR worker \d+: worker died, starting another why="killed by SIGKILL" /
        ])
        for (const director of [master, backup])
          t.match(await replayDirector(director), /^virtual router nginx: \d+ steps agree$/m)
      }
    )
    await Promise.all([master.stop(), backup.stop()])
  }
)

async function statusOf(director: TshaDirector): Promise<Status> {
  const { out } = await tsha(director, 'status --json')
  return JSON.parse(out.join('\n')) as Status
}

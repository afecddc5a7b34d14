import { existsSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { REPOSITORY } from '../netns/lab/pair-files.js'
import { cannotRun } from '../netns/lab/requirements.js'
import { buildPackages } from './packages.js'
import { SystemdMachine, unifiedCgroup } from './systemd-machine.js'

const UNIT = 'tsha@master'
const HAS_VIP = 'ip -br -4 addr show ens160 | grep -q 192.168.64.200/24'
/** The newest recording that a director left. */
const REPLAY = 'tsha replay "$(ls -d /var/lib/tsha/tsha-*.jsonl | tail -n 1)"'
/** docs/install.md: the package, then the configuration. */
const INSTALL = `set -e
dpkg --install /opt/packages/tsha_*.deb
cat /opt/packages/pair.yaml > /etc/tsha/tsha.yaml`

function whyNot(): string | false {
  const missing = cannotRun('systemctl', 'useradd', 'dpkg-deb')
  if (missing !== false) return missing
  if (!existsSync('/lib/systemd/systemd')) return 'needs systemd'
  return unifiedCgroup() === null ? 'needs cgroup2' : false
}

t.setTimeout(240_000)
await t.test('the unit under the real systemd', { skip: whyNot(), timeout: 240_000 }, async (t) => {
  const packages = await mkdtemp(join(tmpdir(), 'tsha-packages-'))
  t.teardown(() => rm(packages, { recursive: true, force: true }))
  await buildPackages(['deb'], packages)
  await cp(join(REPOSITORY, 'docs/examples/pair/tsha.yaml'), join(packages, 'pair.yaml'))
  const machine = await SystemdMachine.boot(unifiedCgroup() ?? '', packages)
  t.teardown(() => machine.close())
  const show = (property: string): Promise<string> =>
    machine.must(`systemctl show --property ${property} --value ${UNIT}`)

  await t.test('the package alone starts nothing and claims nothing', async (t) => {
    await machine.must(INSTALL)
    t.equal(await show('ActiveState'), 'inactive')
    t.equal((await machine.run(HAS_VIP)).code, 1, 'no virtual address')
    t.match(await machine.must('tsha --version'), /^\d+\.\d+\.\d+$/)
    t.match(await machine.must('getent passwd tsha'), /nologin$/)
    t.equal(await machine.must('stat -c "%A %U %G" /etc/tsha/tsha.yaml'), '-rw-r----- root tsha')
    await machine.must('logrotate --debug /etc/logrotate.d/tsha 2>&1 || ! command -v logrotate')
  })

  await t.test('Type=notify: systemctl start returns when tsha is ready', async (t) => {
    await machine.must(`systemctl start ${UNIT}`)
    t.equal(await show('ActiveState'), 'active')
    t.equal(await show('StatusText'), 'running')
    const journal = await machine.must(`journalctl --unit ${UNIT} --output cat`)
    t.match(journal, /"msg":"tsha runs"/)
    await machine.untilTrue(HAS_VIP, 8000)
  })

  await t.test('four capabilities for the director process, none for a worker', async (t) => {
    const pid = await show('MainPID')
    const capabilities = (of: string): Promise<string> =>
      machine.must(`grep -h ^CapEff /proc/${of}/status`)
    // CAP_NET_BIND_SERVICE 10, CAP_NET_ADMIN 12, CAP_NET_RAW 13, CAP_SYS_NICE 23
    t.equal(await capabilities(pid), 'CapEff:\t0000000000803400')
    const rawSocket = await machine.must(`awk 'NR == 2 { print $10 }' /proc/${pid}/net/raw`)
    t.match(await machine.must(`ls -l /proc/${pid}/fd`), `socket:[${rawSocket}]`)
    const workers = (await machine.must(`pgrep --full '^tsha: worker'`)).split('\n')
    t.ok(workers.length >= 2)
    for (const worker of workers) {
      t.equal(await capabilities(worker), 'CapEff:\t0000000000000000')
      const held = await machine.must(`ls -l /proc/${worker}/fd`)
      t.notMatch(held, `socket:[${rawSocket}]`, 'the raw socket was not inherited')
    }
  })

  await t.test(
    'systemctl reload returns when the new configuration counts; a wrong one changes nothing',
    async (t) => {
      const pid = await show('MainPID')
      const problems = 'journalctl --unit tsha@master --output cat | grep "reload refused"'
      await machine.must(`sed -i 's/priority: 100/priority: 104/' /etc/tsha/tsha.yaml`)
      await machine.must(`systemctl reload ${UNIT}`)
      const journal = `journalctl --sync; journalctl --unit ${UNIT} --output cat`
      t.match(await machine.must(journal), /"virtual router nginx: priority 100 -> 104"/)
      await machine.must(`sed -i 's/priority: 104/priority: 400/' /etc/tsha/tsha.yaml`)
      await machine.must(`systemctl reload ${UNIT}`)
      t.match(await machine.must(problems), /400.*\[TSHA_E_VALUE\]/)
      t.match(await show('StatusText'), /the last reload was refused/)
      t.equal(await show('ActiveState'), 'active')
      t.equal(await show('MainPID'), pid)
      t.equal((await machine.run(HAS_VIP)).code, 0, 'it is still master')
      await machine.must(`sed -i 's/priority: 400/priority: 100/' /etc/tsha/tsha.yaml`)
      await machine.must(`systemctl reload ${UNIT}`)
      t.equal(await show('StatusText'), 'running')
    }
  )

  const isSlow = { timeout: 90_000 }
  await t.test(
    'WatchdogSec: a frozen director loses the address, and is replaced',
    isSlow,
    async (t) => {
      await machine.must(`kill -STOP ${await show('MainPID')}`)
      const lostAfterMs = await machine.untilTrue(`! ${HAS_VIP}`, 6000)
      t.ok(lostAfterMs <= 4000, `address gone after ${lostAfterMs} ms`)
      await machine.untilTrue(
        `systemctl show --property NRestarts --value ${UNIT} | grep -q 1 && systemctl is-active ${UNIT}`,
        20_000
      )
      await machine.untilTrue(HAS_VIP, 8000)
      t.match(await machine.must(REPLAY), 'virtual router', 'what it recorded is there')
    }
  )

  await t.test('SIGKILL: what the director recorded is there, and replays', isSlow, async (t) => {
    for (let restarts = 2; restarts <= 4; restarts++) {
      // Its admin process, which does the writing, may take longer to start than the director.
      await machine.untilTrue('tsha status', 8000)
      await machine.must(`kill -KILL ${await show('MainPID')}`)
      await machine.untilTrue(
        `systemctl show --property NRestarts --value ${UNIT} | grep -q ${restarts}`
      )
      await machine.untilTrue(`systemctl is-active ${UNIT}`)
      const found = await machine.must('ls /var/lib/tsha | grep -c "^tsha-.*jsonl$"')
      t.equal(found, String(restarts), `of each of ${restarts} deaths`)
    }
    t.match(await machine.must(REPLAY), 'virtual router')
  })

  await t.test('systemctl stop ends well and leaves nothing', async (t) => {
    await machine.must(`systemctl stop ${UNIT}`)
    t.equal(await show('Result'), 'success')
    t.equal((await machine.run(HAS_VIP)).code, 1, 'no virtual address')
    t.equal((await machine.run(`pgrep --full '^tsha: '`)).code, 1, 'no process')
  })

  await t.test('a wrong configuration is not tried again and again', async (t) => {
    await machine.must(`sed -i 's/vrid: 51/vrid: 300/' /etc/tsha/tsha.yaml`)
    t.not((await machine.run(`systemctl start ${UNIT}`)).code, 0)
    t.equal(await show('ActiveState'), 'failed')
    t.equal(await show('ExecMainStatus'), '2')
    const journal = await machine.must(`journalctl --unit ${UNIT} --output cat`)
    t.match(journal, /\/etc\/tsha\/tsha\.yaml:\d+:\d+: .*300.*\[TSHA_E_VRID_RANGE\]/)
  })

  await t.test('an update keeps the configuration and disturbs nobody', async (t) => {
    await machine.must(`cat /opt/packages/pair.yaml > /etc/tsha/tsha.yaml; systemctl start ${UNIT}`)
    const pid = await show('MainPID')
    const said = await machine.must('dpkg --install /opt/packages/tsha_*.deb 2>&1')
    t.match(said, 'go on with the old version until: systemctl restart tsha@master')
    t.equal(await show('MainPID'), pid, 'the director goes on')
    await machine.must('cmp /opt/packages/pair.yaml /etc/tsha/tsha.yaml')
  })

  await t.test(
    'removed: the address is given up and nothing runs; purged: nothing is left',
    async (t) => {
      await machine.untilTrue(HAS_VIP, 8000)
      await machine.must('dpkg --remove tsha')
      t.equal((await machine.run(HAS_VIP)).code, 1, 'no virtual address')
      t.equal((await machine.run(`pgrep --full '^tsha: '`)).code, 1, 'no process')
      await machine.must('test -f /etc/tsha/tsha.yaml && test ! -e /usr/bin/tsha')
      await machine.must('dpkg --purge tsha')
      const places =
        '/etc/tsha /var/log/tsha /var/lib/tsha /run/tsha /usr/lib/tsha /etc/logrotate.d/tsha'
      for (const place of places.split(' ')) {
        t.equal((await machine.run(`test -e ${place}`)).code, 1, `no ${place}`)
      }
    }
  )
})

import { existsSync } from 'node:fs'
import t from 'tap'
import { cannotRun } from '../netns/lab/requirements.js'
import { SystemdMachine, unifiedCgroup } from './systemd-machine.js'

const UNIT = 'tsha@master'
const HAS_VIP = 'ip -br -4 addr show ens160 | grep -q 192.168.64.200/24'
/** The newest recording that a director left. */
const REPLAY = 'tsha replay "$(ls -d /var/lib/tsha/tsha-*.jsonl | tail -n 1)"'
/** docs/install.md, steps 2 to 4a. */
const INSTALL = `set -e
ln -sf /opt/tsha/dist/bin/tsha.js /usr/local/bin/tsha
useradd --system --home-dir / --shell /usr/sbin/nologin tsha
cp /opt/tsha/packaging/systemd/tsha@.service /etc/systemd/system/
systemctl daemon-reload
install -d /etc/tsha
cp /opt/tsha/docs/examples/pair/tsha.yaml /etc/tsha/`

function whyNot(): string | false {
  const missing = cannotRun('systemctl', 'useradd')
  if (missing !== false) return missing
  if (!existsSync('/lib/systemd/systemd')) return 'needs systemd'
  return unifiedCgroup() === null ? 'needs cgroup2' : false
}

await t.test('the unit under the real systemd', { skip: whyNot(), timeout: 120_000 }, async (t) => {
  const machine = await SystemdMachine.boot(unifiedCgroup() ?? '')
  t.teardown(() => machine.close())
  const show = (property: string): Promise<string> =>
    machine.must(`systemctl show --property ${property} --value ${UNIT}`)

  await machine.must(INSTALL)

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

  await t.test('WatchdogSec: a frozen director loses the address, and is replaced', async (t) => {
    await machine.must(`kill -STOP ${await show('MainPID')}`)
    const lostAfterMs = await machine.untilTrue(`! ${HAS_VIP}`, 6000)
    t.ok(lostAfterMs <= 4000, `address gone after ${lostAfterMs} ms`)
    await machine.untilTrue(
      `systemctl show --property NRestarts --value ${UNIT} | grep -q 1 && systemctl is-active ${UNIT}`,
      20_000
    )
    await machine.untilTrue(HAS_VIP, 8000)
    t.match(await machine.must(REPLAY), 'virtual router', 'what it recorded is there')
  })

  await t.test('SIGKILL: what the director recorded is there, and replays', async (t) => {
    await machine.must(`kill -KILL ${await show('MainPID')}`)
    await machine.untilTrue(`systemctl show --property NRestarts --value ${UNIT} | grep -q 2`)
    await machine.untilTrue(`systemctl is-active ${UNIT}`)
    t.equal(await machine.must('ls /var/lib/tsha | grep -c "^tsha-.*jsonl$"'), '2')
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
})

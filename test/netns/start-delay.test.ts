import t from 'tap'
import { Lab, VIP } from './lab/lab.js'
import { ON_DIRECTOR, TSHA_COMMAND } from './lab/pair-files.js'
import { cannotRun } from './lab/requirements.js'

t.setTimeout(60_000)

const WAIT_MS = 15_000
const DELAY_MS = 2000
const FIFO = '/run/fifo'
/** VRRPv2, priority 100: nobody else is there. */
const MASTER_DOWN_MS = 3609

const CONFIG = `
global_defs {
  vrrp_startup_delay ${DELAY_MS / 1000}
  vrrp_notify_fifo ${FIFO}
}
vrrp_instance VI_1 {
  interface ens160
  virtual_router_id 51
  priority 100
  virtual_ipaddress {
    ${VIP}/24
  }
}
`

await t.test('a start delay', { skip: cannotRun('tcpdump') }, async (t) => {
  const lab = await Lab.create({ machines: ['director1', 'director2'] })
  t.teardown(() => lab.close())
  const host = lab.host('director1')
  await host.must('mkfifo', FIFO)
  await host.writeFile(ON_DIRECTOR.keepalived, CONFIG)
  // The shell holds the pipe open beside the director, whose lives are two.
  const reader = await host.spawn('sh', ['-c', `exec cat <>${FIFO}`])
  const start = async () => {
    const director = await host.spawn(process.execPath, [
      TSHA_COMMAND,
      'run',
      '--keepalived-conf',
      ON_DIRECTOR.keepalived
    ])
    await director.lines.waitFor(
      ({ text }) => text.includes('the elections begin later'),
      'line in the log',
      WAIT_MS
    )
    return director
  }
  const capture = await lab.capture('director1', 'ip proto 112')

  await t.test('a stop meanwhile ends at once, and nothing was said', async (t) => {
    const director = await start()
    const at = Date.now()
    const exit = await director.stop('SIGTERM', WAIT_MS)
    t.equal(exit.code, 0)
    t.ok(Date.now() - at < DELAY_MS, `after ${Date.now() - at} ms`)
    t.strictSame(
      reader.lines.entries.map(({ text }) => text),
      []
    )
  })

  await t.test('the election begins after it, and takes as long as ever', async (t) => {
    const director = await start()
    const at = Date.now()
    const backup = await reader.lines.waitFor(
      ({ text }) => text === 'INSTANCE "VI_1" BACKUP 100',
      'BACKUP',
      WAIT_MS
    )
    t.ok(backup.at - at > DELAY_MS - 200, `after ${backup.at - at} ms`)
    const first = await capture.packets.waitFor(() => true, 'advertisement', WAIT_MS)
    t.ok(first.at - backup.at > MASTER_DOWN_MS - 200, `after ${first.at - backup.at} ms`)
    await lab.watch.waitForOwners(['director1'], WAIT_MS)
    await director.stop('SIGTERM', WAIT_MS)
    t.strictSame(
      reader.lines.entries.map(({ text }) => text),
      ['BACKUP', 'MASTER', 'STOP'].map((state) => `INSTANCE "VI_1" ${state} 100`)
    )
  })
})

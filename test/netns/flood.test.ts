// lane: alone - sends 50 000 frames a second
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ADDRESSES, Lab, macOf } from './lab/lab.js'
import { processorTimeOf } from './lab/process-tree.js'
import { cannotRun } from './lab/requirements.js'
import { describeLatenesses, latenesses } from './lab/schedule.js'
import { isStateChange, startPair, type TshaDirector } from './lab/tsha.js'

t.setTimeout(120_000)

const FLOOD_PROGRAM = join(import.meta.dirname, 'lab/flood.js')
const RATE = 50_000
const SECONDS = 10
/** Of the floods that the kernel's filter keeps from the director; `TSHA_LONG=1` takes as long for them. */
const FILTERED_SECONDS = process.env['TSHA_LONG'] === '1' ? SECONDS : 4
const LATE_MS = 100
const LOG_LINES = 10

/** To 224.0.0.18 from the client. */
const ETHERNET = '01005e00001202 00c0a8400a0800'.replaceAll(' ', '')
/** VRRPv2, priority 200, one address, PASS; what follows is the password. */
const BODY = '21VRc801010100 00c0a840c8'.replaceAll(' ', '')

/** A whole frame; `last` is the last byte of the sender's address, `..` for a different one each time. */
function frame(vrid: number, password: string, last: string): string {
  const ip = `45c0002800010000ff70 0000 c0a840${last} e0000012`.replaceAll(' ', '')
  const body = BODY.replace('VR', vrid.toString(16).padStart(2, '0'))
  return `${ETHERNET}${ip}${body}${Buffer.from(password.padEnd(8, '\0')).toString('hex')}`
}

interface Flood {
  readonly name: string
  readonly patterns: readonly string[]
  readonly seconds: number
}

const FLOODS: readonly Flood[] = [
  {
    name: 'a wrong password and a foreign VRID, from one sender',
    patterns: [frame(51, 'wrong', '0a'), frame(99, '123456', '0a')],
    seconds: FILTERED_SECONDS
  },
  {
    name: 'a wrong password, from 200 senders',
    patterns: [frame(51, 'wrong', '..')],
    seconds: FILTERED_SECONDS
  },
  {
    // The kernel's filter lets these through: the director reads every one.
    name: 'our password and a wrong checksum, from 200 senders',
    patterns: [frame(51, '123456', '..')],
    seconds: SECONDS
  }
]

await t.test(
  'a flood of bad advertisements on the wire',
  { skip: cannotRun('nginx', 'tcpdump') },
  async (t) => {
    const lab = await Lab.create()
    t.teardown(() => lab.close())
    const { master, backup } = await startPair(lab)
    for (const flood of FLOODS) {
      await t.test(flood.name, (t) => withstands(t, lab, [master, backup], flood))
    }
  }
)

async function withstands(
  t: Test,
  lab: Lab,
  directors: readonly TshaDirector[],
  { patterns, seconds }: Flood
): Promise<void> {
  const mac = macOf(ADDRESSES.director1)
  const capture = await lab.capture('director1', `ip proto 112 and ether src ${mac}`)
  const mark = lab.watch.mark
  const before = directors.map(({ pid, log }) => ({ ms: processorTimeOf(pid), mark: log.mark }))
  const args = [FLOOD_PROGRAM, 'ens160', String(RATE), String(seconds), ...patterns]
  const began = Date.now()
  const flood = await lab
    .host('client')
    .run(process.execPath, args, { timeoutMs: (seconds + 20) * 1000 })
  const elapsedMs = Date.now() - began
  t.equal(flood.code, 0, `the flood was sent ${flood.stderr}`)
  // What the flood left behind, such as a Master_Down_Interval without an advertisement, shows by then.
  const end = capture.packets.mark + 4
  await capture.packets.waitFor(
    () => capture.packets.mark >= end,
    'four more advertisements',
    10_000,
    capture.packets.mark
  )
  await capture.stop()

  const sent = Number(flood.stdout)
  t.ok(sent >= 0.95 * RATE * seconds, `${sent} frames in ${elapsedMs} ms`)
  const shares = directors.map(
    ({ pid }, i) => (processorTimeOf(pid) - (before[i]?.ms ?? 0)) / elapsedMs
  )
  const late = latenesses(capture.packets.entries)
  t.comment(
    `${sent} frames in ${elapsedMs} ms; processor time of the director process: ` +
      shares.map((share) => `${(share * 100).toFixed(0)} %`).join(' on the master, ') +
      ` on the backup; adverts ${describeLatenesses(late)}`
  )
  t.ok(late.length >= seconds, `${late.length} intervals were measured`)
  t.ok(Math.max(...late) <= LATE_MS, describeLatenesses(late))
  t.equal(lab.watch.mark, mark, 'the address does not move')
  directors.forEach(({ log, host }, i) => {
    const lines = log.since(before[i]?.mark ?? 0)
    t.strictSame(lines.filter(isStateChange), [], `${host.name} does not change its state`)
    t.ok(lines.length <= LOG_LINES, `${lines.length} log lines on ${host.name}`)
  })
}

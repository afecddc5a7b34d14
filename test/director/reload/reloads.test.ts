import t from 'tap'
import type { CommandResult } from '../../../src/admin/model.js'
import { Reloads } from '../../../src/director/reload/reloads.js'
import { memoryLog } from '../notify/support.js'

function setup(): { reloads: Reloads; told: string[][]; messages: () => readonly string[] } {
  const { log, messages } = memoryLog()
  const told: string[][] = []
  const notify = (...fields: string[]): void => void told.push(fields)
  const systemd = { notify, watchdogIntervalMs: null, close: () => undefined }
  return { reloads: new Reloads(log, systemd), told, messages }
}

t.test('systemd hears when a reload begins, on its own clock, and when it is done', async (t) => {
  const { reloads, told } = setup()
  t.equal(reloads.last, null)
  const before = process.hrtime.bigint() / 1000n
  const result: CommandResult = { ok: true, lines: ['pid_file none -> /run/a'] }
  t.strictSame(await reloads.run(() => Promise.resolve(result)), result)
  const [[begun, usec] = [], end] = told
  t.equal(begun, 'RELOADING=1')
  const instant = BigInt(/^MONOTONIC_USEC=(\d+)$/.exec(usec ?? '')?.[1] ?? 0)
  t.ok(instant >= before && instant <= process.hrtime.bigint() / 1000n, `${usec}`)
  t.strictSame(end, ['READY=1', 'STATUS=running'])
  t.match(reloads.last, { ok: true, lines: ['pid_file none -> /run/a'] })
})

t.test('a refused one is told, kept, and over for systemd, too', async (t) => {
  const { reloads, told, messages } = setup()
  const lines = ['a.yaml:1:1: wrong [TSHA_E_VALUE]']
  await reloads.run(() => Promise.resolve({ ok: false, code: 'TSHA_E_CONFIG_REFUSED', lines }))
  t.strictSame(told[1], ['READY=1', 'STATUS=running; the last reload was refused, see the log'])
  t.match(reloads.last, { ok: false, lines })
  t.ok(messages().includes('reload refused: the old configuration stays'))
})

t.test('there is one at a time; a stop waits for its end, which says nothing more', async (t) => {
  const { reloads, told } = setup()
  let finish: (result: CommandResult) => void = () => undefined
  const first = reloads.run(() => new Promise((resolve) => (finish = resolve)))
  t.match(await reloads.run(() => Promise.reject(new Error('never'))), {
    ok: false,
    code: 'TSHA_E_CONFLICT',
    lines: ['a reload is going on']
  })
  let hasEnded = false
  const ended = reloads.ended.then(() => (hasEnded = true))
  t.notOk(hasEnded)
  finish({ ok: false, code: 'TSHA_E_CONFLICT', lines: ['the director is stopping'] })
  await Promise.all([first, ended])
  t.equal(told.length, 1, 'STOPPING=1 was the last word')
  t.equal(reloads.last, null)
})

t.test('one that fails for a bug of ours is over for systemd, too', async (t) => {
  const { reloads, told } = setup()
  await t.rejects(
    reloads.run(() => Promise.reject(new Error('a bug'))),
    { message: 'a bug' }
  )
  t.strictSame(told[1], ['READY=1', 'STATUS=running; the last reload has failed, see the log'])
})

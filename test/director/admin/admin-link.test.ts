import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import type { Command, CommandResult, Status } from '../../../src/admin/model.js'
import { AdminLink } from '../../../src/director/admin/admin-link.js'
import { monotonicNow } from '../../../src/linux/clock.js'
import { statusOf, until } from '../../admin/support.js'

t.setTimeout(60_000)

/**
 * A director's end, with a program in the place of the admin process that does not do what that does:
 * it `tell`s, is told `told`, and `say`s to the test by warnings.
 */
function meet(t: Test, program: string, status: () => Status = () => statusOf('a')) {
  const directory = t.testdir({
    'entry.mjs': `
      const told = []
      process.on('message', (message) => told.push(message))
      process.on('disconnect', () => process.exit(0))
      const tell = (message) => process.send(message, undefined, {}, () => undefined)
      const say = (message) => tell({ type: 'warning', message })
      const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
      tell({ type: 'ready' })
      ${program}`,
    'others.sock': 'mine'
  })
  const log: Readonly<Record<string, unknown>>[] = []
  const performed: Command[] = []
  let [statuses, resets] = [0, 0]
  const link = new AdminLink({
    config: {
      socket: join(directory, 'admin.sock'),
      socketGroup: null,
      listen: null,
      recordings: null
    },
    user: null,
    socketGid: null,
    version: '1.2.3',
    log: pino({}, { write: (line) => log.push(JSON.parse(line) as Record<string, unknown>) }),
    now: monotonicNow,
    entry: join(directory, 'entry.mjs'),
    ports: {
      status: () => {
        statuses++
        return status()
      },
      perform: (command) => {
        performed.push(command)
        const result: CommandResult = { ok: true, lines: [] }
        return Promise.resolve(result)
      },
      eventsAfter: () => [],
      recordingReset: () => resets++
    }
  })
  t.teardown(() => link.stop())
  link.start()
  const said = (text: string | RegExp): (() => boolean) => {
    return () => log.some(({ msg }) => String(msg).match(text) !== null)
  }
  return {
    ...{ link, directory, log, performed, said },
    counts: () => ({ statuses, resets })
  }
}

t.test('a flood of questions for the status costs one status in 50 ms', async (t) => {
  const { said, counts, link } = meet(
    t,
    `for (let id = 1; id <= 1500; id++) tell({ type: 'status', id })
     await pause(500)
     const ids = told.filter(({ type }) => type === 'status').map(({ id }) => id)
     say('the last answer is to ' + ids.at(-1))`
  )
  await until(said('admin: the last answer is to 1500'))
  const { statuses } = counts()
  t.ok(statuses >= 1 && statuses <= 12, `${statuses} statuses`)
  t.ok(link.pid > 0, 'and the process lives')
})

t.test('a status that cannot be made is told, and ends nothing', async (t) => {
  const { said } = meet(
    t,
    `tell({ type: 'status', id: 1 })
     await pause(100)
     say('told ' + told.filter(({ type }) => type === 'status').length)`,
    () => {
      throw new Error('no such thing')
    }
  )
  await until(said('admin: told 0'))
  t.ok(said('the status cannot be told: no such thing')())
})

t.test('a flood of orders is refused beyond a bound, in few lines', async (t) => {
  const { said, performed, log } = meet(
    t,
    `for (let id = 1; id <= 1500; id++) tell({ type: 'command', id, by: 'x', command: { action: 'reload' } })
     const refused = () => told.filter(({ result }) => result?.code === 'TSHA_E_CONFLICT')
     while (refused().length === 0) await pause(10)
     tell({ type: 'listening', where: ['after all of them'] })
     say(refused()[0].result.lines[0])`
  )
  await until(said('admin: there are too many orders at once; try again later'))
  t.ok(performed.length >= 60 && performed.length <= 400, `${performed.length} orders`)
  t.ok(log.length < 10, `${log.length} lines`)
})

t.test('nonsense, or without end, has the process killed and followed by another', async (t) => {
  const wrong = [
    `tell({ type: 'listening', where: 7 })`,
    `for (let id = 1; id <= 20000; id++) tell({ type: 'status', id })`
  ]
  for (const program of wrong) {
    const { said, link, log } = meet(t, program)
    await until(said('admin process died, starting another'))
    t.ok(said(/tells (something that is no message|too much); it is killed/)(), program)
    await link.stop()
    t.ok(log.length < 20, `${log.length} lines`)
  }
})

t.test('a process that is ready again and again begins once', async (t) => {
  const { said, counts } = meet(
    t,
    `for (let i = 0; i < 100; i++) tell({ type: 'ready' })
     await pause(100)
     say('started ' + told.filter(({ type }) => type === 'start').length + ' times')`
  )
  await until(said('admin: started 1 times'))
  t.equal(counts().resets, 1)
})

t.test('warnings that are always others do not flood the log', async (t) => {
  const { log, said } = meet(
    t,
    `for (let i = 0; i < 1000; i++) say('warning ' + i)
     for (let i = 0; i < 1000; i++) tell({ type: 'refused', where: 'a', message: 'b' })
     tell({ type: 'listening', where: ['done'] })`
  )
  await until(said('admin process listens'))
  t.ok(log.length <= 22, `${log.length} lines`)
})

t.test('what is removed at the end is the socket that was configured, no other file', async (t) => {
  const { directory, link, said } = meet(
    t,
    `const { dirname } = await import('node:path')
     const folder = dirname(process.argv[1])
     tell({ type: 'listening', where: [folder + '/others.sock'] })
     say('done')`
  )
  await until(said('admin: done'))
  await link.stop()
  t.equal(existsSync(join(directory, 'others.sock')), true)
})

t.test('a process that listens elsewhere from now on leaves no socket behind', async (t) => {
  const { directory, link, log, said } = meet(
    t,
    `while (!told[0]) await pause(5)
     const { socket } = told[0].config
     tell({ type: 'listening', where: [socket] })
     process.on('message', ({ type }) => type === 'stopping' && process.exit(0))`
  )
  const listening = (): number => log.filter(({ msg }) => msg === 'admin process listens').length
  await until(said('admin process listens'))
  const former = join(directory, 'admin.sock')
  writeFileSync(former, '')
  const config = {
    socket: join(directory, 'new.sock'),
    socketGroup: null,
    listen: null,
    recordings: null
  }
  link.replace({ config, user: null, socketGid: null })
  await until(() => listening() === 2)
  await until(() => !existsSync(former))
  t.pass('it is gone')
})

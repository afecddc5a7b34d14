import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { tsha, type Said } from './lab/command-line.js'
import type { Host } from './lab/host.js'
import { KeepalivedDirector } from './lab/keepalived.js'
import { Lab } from './lab/lab.js'
import type { Load } from './lab/load.js'
import { installPairFiles, ON_DIRECTOR, PAIR_DIRECTORY, type Role } from './lab/pair-files.js'
import { replayDirector } from './lab/recording.js'
import { cannotRun } from './lab/requirements.js'
import { OLD_FILES, TshaDirector, WATCHED, type LogLine } from './lab/tsha.js'

t.setTimeout(120_000)

const RATE = 100
const LOST_IN_A_MOVE = 5
/** Longer than anything takes with advertisements every half second. */
const SOON_MS = 6000
const SERVES_ON = /^nginx: nobody took over: this director goes on serving, with priority 1; /
const THERE = 'nginx: the addresses are with 192.168.64.134 now'
/** What a replay says that came to the same decisions. */
const REPLAYED = /^virtual router nginx: \d+ steps agree$/m
const UNTIL =
  'nginx: stepped down until resume or a restart of tsha; master only while nobody else is'

/** The pair's files with VRRPv3 and short intervals, so that nothing takes long. */
async function installFastFiles(host: Host, role: Role): Promise<void> {
  await installPairFiles(host, role)
  const text = await readFile(join(PAIR_DIRECTORY, `keepalived-${role}.conf`), 'utf8')
  const fast = text
    .replace('advert_int 1', 'advert_int 0.5')
    .replace(/authentication \{[^}]*\}/, '')
    .replace('global_defs {', 'global_defs {\n    vrrp_version 3')
    .replace('interval 2', 'interval 1')
  await host.writeFile(ON_DIRECTOR.keepalived, fast)
}

/** What an order prints that is carried out. */
function done(...out: readonly string[]): Said {
  return { code: 0, out, err: [] }
}

const LINE_MS = 5000

/**
 * Types an order that is carried out, as `order`, and resolves with what it prints.
 * @returns how long the director took for it, by its log
 */
async function order(
  t: Test,
  director: TshaDirector,
  command: string
): Promise<{ readonly said: Said; readonly tookMs: number }> {
  const { mark } = director.log
  const said = await tsha(director, command)
  t.match(said, { code: 0, err: [] }, `tsha ${command}`)
  // The answer may be there before the lines of the log are.
  const [received, carriedOut] = await Promise.all(
    ['order received', 'order carried out'].map((msg) =>
      director.log.waitFor((line) => line['msg'] === msg, msg, LINE_MS, mark)
    )
  )
  t.match(received, { by: 'the socket' })
  t.strictSame(carriedOut?.['lines'], said.out)
  return { said, tookMs: timeOf(carriedOut) - timeOf(received) }
}

function timeOf(line: LogLine | undefined): number {
  return Date.parse(String(line?.['time']))
}

/**
 * Stops the client and claims that every request was answered, but for what was under way in the very
 * moment in which the address moved. Where nobody has it for 0.6 s, 60 fail.
 *
 * @param moves how often it moved
 */
async function allAnswered(t: Test, load: Load, what: string, moves: number): Promise<void> {
  const { total, failed, failures } = await load.stop()
  t.ok(total > 10, `${what}: the client asked ${total} times`)
  t.ok(failed <= LOST_IN_A_MOVE * moves, `${what}: ${failed}: ${JSON.stringify(failures)}`)
}

await t.test(
  'orders for virtual routers and the proxy, with a partner and without one',
  { skip: cannotRun('nginx', 'keepalived') },
  async (t) => {
    const lab = await Lab.create()
    t.teardown(() => lab.close())
    const director = new TshaDirector(lab.host('director1'), 'master', OLD_FILES, WATCHED)
    const partner = new TshaDirector(lab.host('director2'), 'backup', OLD_FILES, WATCHED)
    await Promise.all([
      lab.web1.start(),
      lab.web2.start(),
      installFastFiles(director.host, 'master').then(() => director.startProcess()),
      installFastFiles(partner.host, 'backup').then(() => partner.startProcess())
    ])
    await lab.watch.waitForOwners(['director1'], SOON_MS)

    await t.test(
      'step-down: the partner takes over without a gap, and is left alone',
      async (t) => {
        const load = await lab.steadyClient({ rate: RATE })
        const kept = await lab.steadyClient({ rate: 50, keepAlive: 10 })
        const { said, tookMs } = await order(t, director, 'step-down nginx')
        t.strictSame(said, done(THERE, UNTIL))
        t.ok(tookMs < 1000, `answered after ${tookMs} ms`)
        await lab.watch.waitForOwners(['director2'], SOON_MS)
        // Longer than a Master_Down_Interval: it does not preempt.
        await load.waitForAnswer(Date.now() + 2500, SOON_MS)
        t.same(lab.watch.owners, ['director2'])
        await allAnswered(t, load, 'fresh connections', 1)
        await allAnswered(t, kept, 'kept connections', 1)
      }
    )

    await t.test('the partner vanishes: it serves all the same, and says so', async (t) => {
      const { mark } = director.log
      await partner.kill()
      await lab.watch.waitForOwners(['director1'], SOON_MS)
      t.match(
        await director.log.waitFor(
          (line) => String(line['msg']).startsWith('nobody else serves'),
          'word about it',
          SOON_MS,
          mark
        ),
        { level: 40, router: 'nginx' }
      )
      t.match((await lab.get(1))[0], { ok: true })
      const load = await lab.steadyClient({ rate: RATE })
      const { said } = await order(t, director, 'step-down')
      t.equal(said.out[0], 'nginx: was stepped down already')
      t.match(said.out[1], SERVES_ON)
      t.strictSame(said.out.slice(2), [UNTIL])
      await allAnswered(t, load, 'without a partner', 0)
    })

    const old = new KeepalivedDirector(lab.host('director2'), 'backup')
    await t.test(
      'a keepalived that comes is let have the addresses; resume takes them back',
      async (t) => {
        await old.startProxy()
        const load = await lab.steadyClient({ rate: RATE })
        await old.startKeepalived()
        await lab.watch.waitForOwners(['director2'], SOON_MS)
        t.strictSame(
          (await order(t, director, 'resume')).said,
          done(
            'nginx: takes part as configured again: it takes the addresses back from 192.168.64.134: 100 is more than 90'
          )
        )
        await lab.watch.waitForOwners(['director1'], SOON_MS)
        await allAnswered(t, load, 'there and back', 2)
      }
    )

    await t.test('step-down beside keepalived, and a priority that decides', async (t) => {
      const load = await lab.steadyClient({ rate: RATE })
      t.strictSame((await order(t, director, 'step-down nginx')).said, done(THERE, UNTIL))
      t.strictSame(
        (await order(t, director, 'priority nginx 80')).said,
        done(
          'nginx: priority 80 in the place of the configured 100, until another order or a restart of tsha; it is stepped down: 1 is effective until resume'
        )
      )
      const { said } = await order(t, director, 'resume nginx')
      t.match(said.out[0], /it stays backup: 192\.168\.64\.134 has priority 90, and it 80; /)
      t.strictSame(
        (await order(t, director, 'priority nginx default')).said,
        done('nginx: the configured priority 100 holds again')
      )
      await lab.watch.waitForOwners(['director1'], SOON_MS)
      await allAnswered(t, load, 'beside keepalived', 2)
    })

    await t.test('what cannot be done is refused, and nothing moves', async (t) => {
      const commands = ['step-down web', 'priority nginx 255', 'priority nginx', 'proxy restart']
      const [unknown, owner, missing, word] = await Promise.all(
        commands.map((command) => tsha(director, command))
      )
      t.strictSame(unknown, {
        code: 2,
        out: [],
        err: ['tsha: there is no virtual router web; there are: [TSHA_E_UNKNOWN_NAME]', '  nginx']
      })
      t.match(owner, { code: 2, out: [], err: [/PRIORITY is 255, .* \[TSHA_E_FLAG\]$/] })
      t.match(missing, { code: 2, out: [] })
      t.match(word, { code: 2, out: [] })
      t.same(lab.watch.owners, ['director1'])
    })

    await t.test(
      'proxy stop beside keepalived: first the addresses, then the listeners',
      async (t) => {
        const load = await lab.steadyClient({ rate: RATE })
        t.strictSame(
          (await order(t, director, 'proxy stop')).said,
          done(
            THERE,
            'the proxy is stopped until start or a restart of tsha: connections are refused'
          )
        )
        t.same([lab.watch.owners, director.workers], [['director2'], []])
        await allAnswered(t, load, 'proxy stop', 1)
      }
    )

    await t.test('proxy start: the service check passes, and priorities decide', async (t) => {
      const { said } = await order(t, director, 'proxy start')
      t.match(said.out[0], /^the proxy runs: \d+ workers? listens?$/)
      await lab.watch.waitForOwners(['director1'], SOON_MS)
      t.match((await lab.get(1))[0], { ok: true })
    })

    await t.test('proxy stop without a partner: it says what that means', async (t) => {
      await old.kill()
      const { said } = await order(t, director, 'proxy stop')
      t.match(
        said.out[0],
        /^nginx: nobody took over: the addresses stay here, and clients are refused; /
      )
      t.match((await lab.get(1))[0], { ok: false, error: 'ECONNREFUSED' })
      t.match(await replayDirector(director), REPLAYED, 'what it recorded of all that replays')
      await director.stop()
      t.same(lab.watch.owners, [])
    })
  }
)

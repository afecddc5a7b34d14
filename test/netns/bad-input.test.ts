import t, { type Test } from 'tap'
import type { Host } from './lab/host.js'
import { Lab, VIP } from './lab/lab.js'
import type { Outcome } from './lab/lab-process.js'
import { installPairFiles, ON_DIRECTOR, TSHA_COMMAND } from './lab/pair-files.js'
import { cannotRun } from './lab/requirements.js'
import { OLD_FILES } from './lab/tsha.js'
import { tshaAsNobody } from './lab/unprivileged.js'

t.setTimeout(120_000)

const RUN_TIMEOUT_MS = 15_000
const CONFIGURATION_PROBLEM = 2
const SYSTEM_REFUSAL = 1

await t.test(
  'what cannot work is refused with one clear message and leaves nothing behind',
  { skip: cannotRun('setpriv') },
  async (t) => {
    const lab = await Lab.create({ web: 'node' })
    t.teardown(() => lab.close())
    const host = lab.host('director1')

    const runTsha = (command?: readonly string[]): Promise<Outcome> => {
      const [program = '', ...args] = [
        ...(command ?? [process.execPath, TSHA_COMMAND]),
        ...['run', '--role', 'master', ...OLD_FILES]
      ]
      return host.run(program, args, { timeoutMs: RUN_TIMEOUT_MS })
    }
    /** Replaces text in one of the installed files; the text has to be there. */
    const change = async (file: string, from: string | RegExp, to: string): Promise<void> => {
      const text = await host.readFile(file)
      const changed = text.replace(from, to)
      if (changed === text) throw new Error(`${file} has no ${String(from)}`)
      await host.writeFile(file, changed)
    }

    await t.test('an unknown directive of nginx.conf', async (t) => {
      await installPairFiles(host, 'master')
      await change(ON_DIRECTOR.nginx, 'proxy_pass http://web;', 'proxy_pass http://web; slice 1m;')
      await expectProblem(
        t,
        host,
        await runTsha(),
        /nginx\.conf:\d+:\d+: .*slice.*not supported.*\[TSHA_E_/
      )
    })

    await t.test('an unknown directive of keepalived.conf', async (t) => {
      await installPairFiles(host, 'master')
      await change(ON_DIRECTOR.keepalived, 'advert_int 1', 'advert_int 1\n    use_vmac')
      await expectProblem(
        t,
        host,
        await runTsha(),
        /keepalived\.conf:\d+:\d+: .*use_vmac.*not supported.*\[TSHA_E_/
      )
    })

    await t.test('a VRID out of range', async (t) => {
      await installPairFiles(host, 'master')
      await change(ON_DIRECTOR.keepalived, 'virtual_router_id 51', 'virtual_router_id 300')
      await expectProblem(
        t,
        host,
        await runTsha(),
        /keepalived\.conf:\d+:\d+: .*300.*\[TSHA_E_VRID_RANGE\]/
      )
    })

    await t.test('two virtual routers with one VRID on one interface', async (t) => {
      await installPairFiles(host, 'master')
      const text = await host.readFile(ON_DIRECTOR.keepalived)
      const second = text
        .slice(text.indexOf('vrrp_instance nginx'))
        .replace('vrrp_instance nginx', 'vrrp_instance second')
        .replace(VIP, '192.168.64.201')
      await host.writeFile(ON_DIRECTOR.keepalived, `${text}\n${second}`)
      await expectProblem(
        t,
        host,
        await runTsha(),
        /keepalived\.conf:\d+:\d+: .*51.*\[TSHA_E_VRID_DUPLICATE\]/
      )
    })

    await t.test('all problems are reported at once', async (t) => {
      await installPairFiles(host, 'master')
      await change(ON_DIRECTOR.keepalived, 'virtual_router_id 51', 'virtual_router_id 300')
      await change(ON_DIRECTOR.nginx, 'proxy_pass http://web;', 'proxy_pass http://web; slice 1m;')
      const outcome = await runTsha()
      t.equal(outcome.code, CONFIGURATION_PROBLEM)
      t.equal(problemLines(outcome).length, 2, outcome.stderr)
    })

    await t.test('an interface that does not exist', async (t) => {
      await installPairFiles(host, 'master')
      await change(ON_DIRECTOR.keepalived, 'interface ens160', 'interface ens999')
      await expectRefusal(t, host, await runTsha(), /ens999/, /TSHA_E_INTERFACE/)
    })

    await t.test('no permission', async (t) => {
      await installPairFiles(host, 'master')
      const outcome = await runTsha(await tshaAsNobody(host))
      await expectRefusal(t, host, outcome, /CAP_NET_RAW|permission|EPERM|EACCES/i, /TSHA_E_/)
    })

    await t.test('a port that is taken', async (t) => {
      await installPairFiles(host, 'master')
      const program = `require('node:net').createServer().listen(80, () => console.log('taken'))`
      const other = await host.spawn(process.execPath, ['-e', program])
      await other.lines.waitFor((line) => line.text === 'taken', 'sign of the other program', 5000)
      const outcome = await runTsha()
      await other.stop('SIGKILL')
      await expectRefusal(t, host, outcome, /:?80\b.*(in use|taken|EADDRINUSE)/i, /TSHA_E_LISTEN/)
    })
  }
)

/** Lines of stderr in the form `file:line:column: message [CODE]`. */
function problemLines(outcome: Outcome): readonly string[] {
  return outcome.stderr
    .split('\n')
    .filter((line) => /^\/\S+:\d+:\d+: .+ \[TSHA_E_\w+\]$/.test(line))
}

async function expectProblem(
  t: Test,
  host: Host,
  outcome: Outcome,
  message: RegExp
): Promise<void> {
  t.equal(outcome.code, CONFIGURATION_PROBLEM, 'exit code 2')
  t.match(outcome.stderr, message)
  t.equal(problemLines(outcome).length, 1, `one message: ${outcome.stderr.trim()}`)
  t.notMatch(outcome.stderr, /^\s+at /m, 'no stack trace')
  await expectNothingLeft(t, host)
}

async function expectRefusal(
  t: Test,
  host: Host,
  outcome: Outcome,
  message: RegExp,
  code: RegExp
): Promise<void> {
  const said = `${outcome.stderr}\n${outcome.stdout}`
  t.equal(outcome.code, SYSTEM_REFUSAL, 'exit code 1')
  t.match(said, message)
  t.match(said, code)
  t.notMatch(outcome.stderr, /^\s+at /m, 'no stack trace')
  await expectNothingLeft(t, host)
}

async function expectNothingLeft(t: Test, host: Host): Promise<void> {
  t.notOk(await host.hasAddress(VIP), 'no virtual address is left')
  t.strictSame(await host.pidsOfProgram('node'), [], 'no process is left')
}

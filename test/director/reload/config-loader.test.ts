import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { serialize, deserialize } from 'node:v8'
import t from 'tap'
import { loadConfig, type LoadOptions } from '../../../src/config/load.js'
import type { Config, Role } from '../../../src/config/model.js'
import { isSame } from '../../../src/config/same.js'
import { ConfigLoader } from '../../../src/director/reload/config-loader.js'
import { readExample } from '../../config/support.js'
import { isInstalled } from '../../netns/lab/requirements.js'

t.setTimeout(60_000)

/** Far below an interval; the least that a slow machine may be asked for. */
const HOLD_LIMIT_MS = 10
/** For those who do not compare. */
const NOTHING = {} as Config

t.test(
  'a configuration comes from its process as it was read, Infinity and keys too',
  async (t) => {
    const key = '0123456789012345678901234567890123456789012345678901234567890123'
    const yaml = (await readExample('tsha.yaml'))
      .replace(
        / {4}authentication: .*\n/,
        `    version: 3\n    authentication: { type: hmac, keys: [{ id: 1, key: "hex:${key}" }] }\n`
      )
      .replace('track:\n', 'track:\n      - { check: db, weight: -10 }\n')
      .concat('\nchecks:\n  db: { type: process, process: db }\n')
    const options = optionsOf(t.testdir({ 'tsha.yaml': yaml }), 'master')
    const here = await loadConfig(options)
    const there = await new ConfigLoader(options).load(here.config)
    if (!there.ok) throw new Error(there.lines.join('\n'))
    t.ok(isSame(there.loaded.config, here.config))
    t.strictSame(there.changes, [])
    t.equal(there.loaded.config.processes[0]?.quorumMax, Infinity)
    t.strictSame(there.loaded.notes, here.notes)
  }
)

t.test(
  'every problem of a wrong configuration is told, and of one that is not there',
  async (t) => {
    const example = await readExample('tsha.yaml')
    const wrong = example.replace('vrid: 51', 'vrid: 300').replace('upstream: web', 'upstream: wab')
    const folder = t.testdir({ 'tsha.yaml': wrong, good: { 'tsha.yaml': example } })
    const { config } = await loadConfig(optionsOf(join(folder, 'good'), 'master'))
    const outcome = await new ConfigLoader(optionsOf(folder, 'master')).load(config)
    t.match(outcome, { ok: false, lines: [/:12:11: .*\[TSHA_E_VRID_RANGE\]$/, /wab.*TSHA_E_REF/] })
    const none = await new ConfigLoader(optionsOf(join(folder, 'none'), 'master')).load(config)
    t.match(none, { ok: false, lines: [/none\/tsha\.yaml.*\[TSHA_E_FILE\]$/] })
  }
)

t.test('a process that hangs, dies, or is of another version refuses the reload', async (t) => {
  const folder = t.testdir({})
  const loaded = async (program: string, timeoutMs = 5000): Promise<unknown> => {
    const entry = join(folder, 'entry.mjs')
    writeFileSync(entry, program)
    const loader = new ConfigLoader({ role: null, config: 'x' }, entry, timeoutMs)
    const outcome = await loader.load(NOTHING)
    return outcome.ok ? 'ok' : outcome.lines
  }
  t.match(await loaded('setInterval(() => {}, 1000)', 200), [/could not be read within 0.2 s/])
  t.match(await loaded('process.exit(3)'), [/ended with status 3/])
  const message = '{ version: "9.9.9", outcome: { ok: true, loaded: {} } }'
  t.match(await loaded(`process.send(${message})`), [
    /tsha 9\.9\.9 is installed, and this director is \d.*: restart it/
  ])
})

t.test(
  'a process that cannot be started refuses the reload, and the next one is tried',
  async (t) => {
    const loader = new ConfigLoader({ role: null, config: 'x' }, 'no\0such')
    for (let times = 1; times <= 2; times++) {
      t.match(await loader.load(NOTHING), {
        ok: false,
        lines: [/^the configuration cannot be read: .*null bytes/]
      })
    }
  }
)

t.test(
  'without a free file descriptor, too',
  { skip: !isInstalled('prlimit') && 'needs prlimit' },
  async (t) => {
    const entry = join(t.testdir({ 'entry.mjs': 'process.exit(3)' }), 'entry.mjs')
    const loader = new ConfigLoader({ role: null, config: 'x' }, entry)
    const shell = spawn('sh', [], { stdio: ['pipe', 'pipe', 'inherit'] })
    const setLimit = async (files: string): Promise<void> => {
      shell.stdin.write(`prlimit --pid ${process.pid} --nofile=${files}: && echo\n`)
      await once(shell.stdout, 'data')
    }
    const limits = readFileSync('/proc/self/limits', 'utf8')
    await setLimit('4')
    const outcome = await loader.load(NOTHING)
    await setLimit(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? '1024')
    shell.stdin.end()
    t.match(outcome, { ok: false, lines: [/^the configuration cannot be read: .*EMFILE/] })
  }
)

t.test('a large configuration is received in less than 10 ms of the loop', async (t) => {
  const servers = Array.from({ length: 200 }, (_, i) => `      - { address: 10.0.0.${i + 1} }\n`)
  const routers = Array.from(
    { length: 20 },
    (_, i) => `  v${i}:
    interface: ens160
    vrid: ${i + 1}
    authentication: { type: pass, password: "123456" }
    addresses: [10.1.0.${i + 1}/24]
    priority: 100
`
  )
  const yaml = (await readExample('tsha.yaml'))
    .replace(/virtual_routers:[^]*?\n\n/, `virtual_routers:\n${routers.join('')}\n`)
    .replace(/ {6}- \{ address: 192[^]*?\n\n/, `${servers.join('')}\n`)
  const options = optionsOf(t.testdir({ 'tsha.yaml': yaml }), 'master')
  const { config } = await loadConfig(options)
  t.equal(config.proxy?.upstreams[0]?.servers.length, 200)
  t.equal(config.virtualRouters.length, 20)
  const began = performance.now()
  const bytes = serialize({ version: '1', outcome: { ok: true, loaded: { config } } })
  const received: unknown = deserialize(bytes)
  const tookMs = performance.now() - began
  t.match(received, { version: '1' })
  t.ok(tookMs < HOLD_LIMIT_MS, `${bytes.length} bytes: ${tookMs.toFixed(2)} ms both ways`)
})

function optionsOf(folder: string, role: Role | null = null): LoadOptions {
  return { role, config: join(folder, 'tsha.yaml') }
}

t.test('without a descriptor left nothing is read, and that is told', async (t) => {
  const loader = new URL('../../../src/director/reload/config-loader.js', import.meta.url).href
  const program = `
    import { openSync, closeSync } from 'node:fs'
    import { ConfigLoader } from '${loader}'
    const loader = new ConfigLoader({ role: null })
    const taken = []
    // It ends with the error that is wanted: no descriptor is left.
    try { for (;;) taken.push(openSync('/dev/null')) } catch {}
    const outcome = await loader.load({})
    for (const each of taken) closeSync(each)
    process.stdout.write(JSON.stringify(outcome))`
  const shell = 'ulimit -n 100; exec "$0" --input-type=module -e "$1"'
  const run = promisify(execFile)
  const { stdout } = await run('sh', ['-c', shell, process.execPath, program])
  t.match(JSON.parse(stdout), {
    ok: false,
    lines: [/^the configuration cannot be read: spawn .* EMFILE$/]
  })
})

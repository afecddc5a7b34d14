import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serialize, deserialize } from 'node:v8'
import t from 'tap'
import { diffConfigs } from '../../src/config/diff.js'
import { loadConfig } from '../../src/config/load.js'
import { isSame } from '../../src/config/same.js'
import { ConfigLoader } from '../../src/director/config-loader.js'
import { readExample } from '../config/support.js'

t.setTimeout(60_000)

/** Far below an interval; the least that a slow machine may be asked for. */
const HOLD_LIMIT_MS = 10

t.test(
  'a configuration comes from its process as it was read, Infinity and keys too',
  async (t) => {
    const key = 'MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE='
    const yaml = (await readExample('tsha.yaml'))
      .replace(
        / {4}authentication: .*\n/,
        `    version: 3\n    authentication: { type: hmac, keys: [{ id: 1, key: "${key}" }] }\n`
      )
      .concat('\nchecks:\n  db: { type: process, process: db }\n')
    const options = {
      role: 'master',
      config: join(t.testdir({ 'tsha.yaml': yaml }), 'tsha.yaml')
    } as const
    const [here, there] = await Promise.all([loadConfig(options), new ConfigLoader(options).load()])
    if (!there.ok) throw new Error(there.lines.join('\n'))
    t.ok(
      isSame(there.loaded.config, here.config),
      diffConfigs(here.config, there.loaded.config).join()
    )
    t.equal(there.loaded.config.processes[0]?.quorumMax, Infinity)
    t.strictSame(there.loaded.notes, here.notes)
  }
)

t.test(
  'every problem of a wrong configuration is told, and of one that is not there',
  async (t) => {
    const folder = t.testdir({ 'tsha.yaml': 'workers: 0\nlisteners: 5\n' })
    const options = { role: null, config: join(folder, 'tsha.yaml') }
    const wrong = await new ConfigLoader(options).load()
    t.match(wrong, { ok: false })
    if (!wrong.ok) {
      t.match(wrong.lines[0], /tsha\.yaml:1:\d+: .*\[TSHA_E_VALUE\]$/)
      t.equal(wrong.lines.length > 1, true)
    }
    const missing = await new ConfigLoader({ role: null, config: join(folder, 'none') }).load()
    t.match(missing, { ok: false, lines: [/none.*\[TSHA_E_FILE\]$/] })
  }
)

t.test('a process that hangs, dies, or is of another version refuses the reload', async (t) => {
  const folder = t.testdir({})
  const loaded = async (program: string, timeoutMs = 5000): Promise<unknown> => {
    const entry = join(folder, 'entry.mjs')
    writeFileSync(entry, program)
    const loader = new ConfigLoader({ role: null, config: 'x' }, entry, timeoutMs)
    const outcome = await loader.load()
    return outcome.ok ? 'ok' : outcome.lines
  }
  t.match(await loaded('setInterval(() => {}, 1000)', 200), [/could not be read within 0.2 s/])
  t.match(await loaded('process.exit(3)'), [/ended with status 3/])
  const message = '{ version: "9.9.9", outcome: { ok: true, loaded: {} } }'
  t.match(await loaded(`process.send(${message})`), [
    /tsha 9\.9\.9 is installed, and this director is \d.*: restart it/
  ])
})

t.test('a large configuration holds the loop up for less than 10 ms', async (t) => {
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
  const options = {
    role: 'master',
    config: join(t.testdir({ 'tsha.yaml': yaml }), 'tsha.yaml')
  } as const
  const { config } = await loadConfig(options)
  t.equal(config.proxy?.upstreams[0]?.servers.length, 200)
  t.equal(config.virtualRouters.length, 20)
  const bytes = serialize({ version: '1', outcome: { ok: true, loaded: { config } } })
  const changed = { ...config, virtualRouters: config.virtualRouters.slice(1) }
  const times = Array.from({ length: 9 }, () => {
    const began = performance.now()
    const received = deserialize(bytes) as { outcome: { loaded: { config: typeof config } } }
    diffConfigs(changed, received.outcome.loaded.config)
    isSame(changed, received.outcome.loaded.config)
    return performance.now() - began
  }).sort((a, b) => a - b)
  const median = times[4] ?? Infinity
  t.comment(`${bytes.length} bytes: ${times.map((each) => each.toFixed(1)).join(', ')} ms`)
  t.ok(median < HOLD_LIMIT_MS, `${median.toFixed(2)} ms to receive and compare`)
})

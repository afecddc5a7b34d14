import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The pure set: no clock, no I/O, no randomness, no promise; it imports only itself. */
const PURE = [
  /^src\/vrrp\/(?!(?:ports|speaker)\.ts$)/,
  /^src\/config\/(model|lease|nearest|command|duration|same|diff|diff-\w+)\.ts$/,
  /^src\/director\/notify\/messages\.ts$/,
  /^src\/health\/(status|quorum|file-value)\.ts$/,
  /^src\/director\/recording\/(recording|recording-ring|replay)\.ts$/,
  /^src\/director\/(rate-budget|iso-time)\.ts$/,
  /^src\/director\/admin\/admin-inbox\.ts$/,
  /^src\/director\/elections\/(conditions|faults|demands)\.ts$/,
  /^src\/director\/addresses\/(address-care-rules|conflict-rules|gateway-rules)\.ts$/,
  /^src\/director\/workers\/(worker-events|name-record|traffic-book|traffic-count|in-flight)\.ts$/,
  /^src\/director\/status\/(router-story|sentences|why|status-router|standing-effects|problems)\.ts$/,
  /^src\/director\/orders\/(command-check|command-results|leaving-router|router-lines|router-wishes)\.ts$/,
  /^src\/cli\/(style|table|words|status-view|status-tables|why-view|events-view|top-view|traffic-rates|verdict)\.ts$/,
  /^src\/proxy\/(model|endpoint-text|traffic|traffic-cells)\.ts$/,
  /^src\/admin\/(model|messages|problem|event-history|recording-mirror|schemas|status-schema|keepalived-json)\.ts$/,
  /^src\/admin\/page\/(element|parts|words|verdict|routers|proxy|configuration|events|actions)\.js$/,
  /^src\/admin\/page\/(advertisements|traffic|link-state|stream-text)\.js$/,
  /^src\/proxy\/http1\//,
  /^src\/proxy\/body\/(budget|chunk-queue)\.ts$/,
  /^src\/proxy\/upstream\/(peer-status|peer-wish|silence|recovery|next-upstream)\.ts$/,
  /^src\/proxy\/upstream\/(round-robin|least-conn|random-two|slow-start|retry-budget)\.ts$/,
  /^src\/proxy\/upstream\/(request-queue|ip-hash|key-hash|consistent-hash|key-place|crc32)\.ts$/,
  /^src\/proxy\/(route|headers|variables|upgrade|connection-limit|once-per-period)\.ts$/
]

/** What a pure file may not even name. */
const IMPURE_WORDS =
  /\b(Date\.now|new Date\(\)|performance\.|process\.|setTimeout|setInterval|setImmediate|Math\.random|async |await |Promise\b)/

/** Each dependency has one door: the only files that may import it. */
const DOORS: Readonly<Record<string, RegExp>> = {
  koffi: /^src\/linux\/syscalls\/libc\.ts$/,
  yaml: /^src\/config\/yaml\.ts$/,
  zod: /^src\/config\//,
  pino: /^src\/director\/log\.ts$/,
  'pino-pretty': /^src\/director\/log\.ts$/,
  fastify: /^src\/admin\//,
  '@fastify/swagger': /^src\/admin\/server\.ts$/,
  'prom-client': /^src\/admin\/exposition\.ts$/,
  'eventsource-parser': /^src\/cli\/event-source\.ts$/,
  yargs: /^src\/cli\/parser\.ts$/
}

/** Folders and the folders that they may import from, besides themselves. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  vrrp: [],
  health: [],
  proxy: ['errors'],
  linux: ['errors'],
  config: ['errors', 'proxy', 'linux', 'admin'],
  admin: ['errors'],
  director: ['errors', 'config', 'vrrp', 'health', 'proxy', 'linux', 'admin'],
  cli: ['errors', 'config', 'director', 'linux', 'admin', 'vrrp'],
  errors: []
}

interface Import {
  readonly from: string
  readonly to: string
}

function listFiles(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.d)\.(?:ts|js)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
}

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  const statement = /^(?:import |export |\})[^'\n]*\bfrom '([^']+)'|\bimport\('([^']+)'\)/gm
  const specifiers = [...text.matchAll(statement)].map(([, first, second]) => first ?? second ?? '')
  return specifiers.map((specifier) => ({
    from: file,
    to: specifier.startsWith('.') ? sourceOf(normalize(join(dirname(file), specifier))) : specifier
  }))
}

/** The page of the admin API is JavaScript; everything else is compiled to it. */
function sourceOf(path: string): string {
  return path.startsWith('src/admin/page/') ? path : path.replace(/\.js$/, '.ts')
}

const files = [...listFiles('src'), ...listFiles('bin')]
const imports = files.flatMap(importsOf)
const isPure = (file: string): boolean => PURE.some((pattern) => pattern.test(file))
const folderOf = (file: string): string => file.split('/')[1]?.replace(/\.ts$/, '') ?? ''

t.test('the reader of imports sees them', (t) => {
  const expected = { from: 'src/vrrp/machine.ts', to: 'src/vrrp/timing.ts' }
  t.ok(imports.some(({ from, to }) => from === expected.from && to === expected.to))
  for (const pattern of PURE)
    t.ok(
      files.some((file) => pattern.test(file)),
      String(pattern)
    )
  t.end()
})

t.test('the pure set imports only itself', (t) => {
  t.same(
    imports.filter(({ from, to }) => isPure(from) && !isPure(to)),
    []
  )
  t.end()
})

t.test('the pure set has no clock, no I/O, no randomness and no promise', (t) => {
  const offenders = files.filter(isPure).flatMap((file) => {
    const code = readFileSync(join(root, file), 'utf8').replace(/\/\*[^]*?\*\/|\/\/.*$/gm, '')
    const word = IMPURE_WORDS.exec(code)
    return word ? [`${file}: ${word[0]}`] : []
  })
  t.same(offenders, [])
  t.end()
})

t.test('vrrp, health and proxy never import each other; only the director joins them', (t) => {
  const offenders = imports.filter(({ from, to }) => {
    if (!from.startsWith('src/') || !to.startsWith('src/')) return false
    const [here, there] = [folderOf(from), folderOf(to)]
    return here !== there && !(ALLOWED[here] ?? []).includes(there)
  })
  t.same(offenders, [])
  t.end()
})

t.test('the page of the admin API is served alone: it imports only itself', (t) => {
  const page = imports.filter(({ from }) => from.startsWith('src/admin/page/'))
  t.ok(page.length > 20)
  t.same(
    page.filter(({ to }) => !to.startsWith('src/admin/page/')),
    []
  )
  t.end()
})

t.test('each dependency has one door', (t) => {
  const offenders = imports.filter(({ from, to }) => {
    if (to.startsWith('src/') || to.startsWith('node:')) return false
    return !DOORS[to]?.test(from)
  })
  t.same(offenders, [])
  t.end()
})

t.test('workers load nothing but the proxy and Node itself', (t) => {
  const seen = new Set<string>()
  const visit = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    for (const { to } of importsOf(file).filter(({ to }) => !to.startsWith('node:'))) {
      if (to.startsWith('src/')) visit(to)
      else seen.add(to)
    }
  }
  visit('src/proxy/worker.ts')
  t.same(
    [...seen].filter((file) => !/^src\/(proxy\/|errors\.ts)/.test(file)),
    []
  )
  t.end()
})

t.test('there are no cycles', (t) => {
  const graph = new Map(files.map((file) => [file, importsOf(file).map(({ to }) => to)]))
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
    if (done.has(file) || path.includes(file)) return
    for (const to of graph.get(file) ?? []) visit(to, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  t.same(cycles, [])
  t.end()
})

// Lays out what a package of Debian or Red Hat installs, below a folder. Needs a build and node_modules.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'

export const ROOT = resolve(import.meta.dirname, '..')
const LIBRARY = 'usr/lib/tsha'
const DOCUMENTATION = 'usr/share/doc/tsha'

/** Configuration that a package must never overwrite. */
export const CONFIGURATION_FILES = [
  '/etc/tsha/tsha.yaml',
  '/etc/tsha/tsha.env',
  '/etc/logrotate.d/tsha'
]

/** What tsha says of itself in package.json. */
export function readManifest() {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
}

/**
 * Writes every file of the package below `target`.
 *
 * @param target an empty folder
 */
export async function stage(target) {
  const put = (from, to) => {
    mkdirSync(dirname(join(target, to)), { recursive: true })
    cpSync(join(ROOT, from), join(target, to), { recursive: true, filter: isForRunning })
  }
  const write = (to, content) => {
    mkdirSync(dirname(join(target, to)), { recursive: true })
    writeFileSync(join(target, to), content)
  }
  put('package.json', `${LIBRARY}/package.json`)
  put('dist/bin', `${LIBRARY}/dist/bin`)
  put('dist/src', `${LIBRARY}/dist/src`)
  for (const module of productionModules()) put(module, `${LIBRARY}/${module}`)
  put('packaging/files/tsha', 'usr/bin/tsha')
  put('packaging/systemd/tsha@.service', 'usr/lib/systemd/system/tsha@.service')
  put('packaging/files/sysusers.conf', 'usr/lib/sysusers.d/tsha.conf')
  put('packaging/files/tsha.env', 'etc/tsha/tsha.env')
  write('etc/tsha/tsha.yaml', configurationTemplate())
  put('packaging/files/logrotate', 'etc/logrotate.d/tsha')
  put('docs', DOCUMENTATION)
  put('README.md', `${DOCUMENTATION}/README.md`)
  put('LICENSE', `${DOCUMENTATION}/copyright`)
  write(`${DOCUMENTATION}/changelog.gz`, zipped(readFileSync(join(ROOT, 'CHANGELOG.md'))))
  for (const extra of ['grafana', 'prometheus']) {
    if (existsSync(join(ROOT, 'packaging', extra)))
      put(`packaging/${extra}`, `usr/share/tsha/${extra}`)
  }
  write('usr/share/man/man8/tsha.8.gz', zipped(readFileSync(join(ROOT, 'packaging/man/tsha.8'))))
  const { completionScript } = await import('../dist/src/cli/completion-scripts.js')
  write('usr/share/bash-completion/completions/tsha', completionScript('bash'))
  write('usr/share/zsh/vendor-completions/_tsha', completionScript('zsh'))
}

/** Maps, types, and the tests of modules are for those who develop. */
function isForRunning(path) {
  return !/\.map$|\.[cm]?ts$|\/node_modules\/.*\/(tests?|benchmarks?|\.github)$/.test(path)
}

/** The same bytes for the same content, whenever it is made. */
function zipped(content) {
  return gzipSync(content, { level: 9 })
}

/** What npm installs for those who only run tsha, as far as it is for this kind of machine. */
function productionModules() {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))
  const names = Object.entries(packages)
    .filter(([name, { dev }]) => name !== '' && dev !== true)
    .map(([name]) => name)
  const missing = names.filter((name) => !existsSync(join(ROOT, name)))
  const lost = missing.filter((name) => packages[name].optional !== true)
  if (lost.length > 0) throw new Error(`not installed: ${lost.join(', ')}; run npm ci`)
  // One inside another comes along with that.
  return names.filter((name) => !missing.includes(name) && name.lastIndexOf('node_modules/') === 0)
}

/** The example of a pair, every line a comment: nothing claims an address that nobody has chosen. */
function configurationTemplate() {
  const example = readFileSync(join(ROOT, 'docs/examples/pair/tsha.yaml'), 'utf8')
  const lines = example.trimEnd().split('\n')
  return [
    '# The configuration of tsha, the same on both directors. All of it is a comment: put in your own',
    '# interface, addresses, password and servers, then: tsha check --role master',
    '# Every key: /usr/share/doc/tsha/configuration.md',
    '',
    ...lines.map((line) => (line === '' || line.startsWith('#') ? line : `#${line}`)),
    ''
  ].join('\n')
}

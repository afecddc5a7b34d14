// Makes a fresh clone runnable: system packages, node modules, build. Needs nothing but Node, npm and,
// to install system packages, root with apt-get or dnf. Does only what is missing.
//
//   node scripts/setup.mjs [--for build|demo|test|bench] [--allow-missing] [--no-build]
//
// --allow-missing  a system package that cannot be installed is told, but is no error
// --no-build       leaves dist/ alone
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const NODE_MINIMUM = [20, 19]
const MINUTE_MS = 60_000
const SYSTEM_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/**
 * Programs and the packages that bring them, by package manager. A program without one has to be built
 * by hand there: AlmaLinux has no wrk and no promtool.
 */
const PROGRAMS = {
  ip: { apt: 'iproute2', dnf: 'iproute' },
  unshare: { apt: 'util-linux', dnf: 'util-linux' },
  nsenter: { apt: 'util-linux', dnf: 'util-linux' },
  mount: { apt: 'mount', dnf: 'util-linux' },
  setpriv: { apt: 'util-linux', dnf: 'util-linux' },
  bash: { apt: 'bash', dnf: 'bash' },
  pgrep: { apt: 'procps', dnf: 'procps-ng' },
  keepalived: { apt: 'keepalived', dnf: 'keepalived' },
  nginx: { apt: 'nginx', dnf: 'nginx' },
  haproxy: { apt: 'haproxy', dnf: 'haproxy' },
  wrk: { apt: 'wrk' },
  h2load: { apt: 'nghttp2-client' },
  taskset: { apt: 'util-linux', dnf: 'util-linux' },
  prlimit: { apt: 'util-linux', dnf: 'util-linux' },
  tcpdump: { apt: 'tcpdump', dnf: 'tcpdump' },
  chromium: { apt: 'chromium', dnf: 'chromium' },
  tshark: { apt: 'tshark', dnf: 'wireshark-cli' },
  // Its service is not started, see `aptInstall`. Without it the tests of the alerts are skipped.
  promtool: { apt: 'prometheus' },
  rpmbuild: { apt: 'rpm', dnf: 'rpm-build' }
}
const NEEDED_FOR = {
  build: [],
  demo: ['ip', 'unshare', 'nsenter', 'mount'],
  test: [
    ...['ip', 'unshare', 'nsenter', 'mount', 'setpriv', 'bash', 'pgrep'],
    ...['keepalived', 'nginx', 'tcpdump', 'tshark', 'chromium', 'promtool']
  ],
  bench: ['nginx', 'haproxy', 'wrk', 'h2load', 'taskset', 'prlimit']
}

const options = readOptions(process.argv.slice(2))
checkNode()
const environment = nodeEnvironment()
installPrograms()
installModules()
if (!options.noBuild) build()

function readOptions(args) {
  const at = args.indexOf('--for')
  const purpose = at === -1 ? 'build' : args[at + 1]
  if (!(purpose in NEEDED_FOR))
    stop(`--for takes build, demo, test or bench; found ${String(purpose)}`)
  return {
    purpose,
    allowMissing: args.includes('--allow-missing'),
    noBuild: args.includes('--no-build')
  }
}

function say(text) {
  process.stdout.write(`setup: ${text}\n`)
}

function stop(text) {
  process.stderr.write(`setup: ${text}\n`)
  process.exit(1)
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const enough = major > NODE_MINIMUM[0] || (major === NODE_MINIMUM[0] && minor >= NODE_MINIMUM[1])
  if (!enough) {
    stop(
      `Node ${process.versions.node} is too old; install Node ${NODE_MINIMUM.join('.')} or newer`
    )
  }
  if (process.platform !== 'linux') stop(`tsha runs on Linux only; this is ${process.platform}`)
}

/** The environment of npm, which must find this Node. */
function nodeEnvironment() {
  const path = [dirname(process.execPath), process.env.PATH ?? '', ...SYSTEM_PATH].join(delimiter)
  return { ...process.env, PATH: path }
}

function isInstalled(program) {
  return (environment.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function installPrograms() {
  const missing = NEEDED_FOR[options.purpose].filter((program) => !isInstalled(program))
  if (missing.length === 0) return
  const manager = ['apt', 'dnf'].find((each) => isInstalled(each === 'apt' ? 'apt-get' : each))
  if (!manager) {
    giveUp(`install ${missing.join(', ')}; this system has neither apt-get nor dnf`)
    return
  }
  const unpackaged = missing.filter((program) => PROGRAMS[program][manager] === undefined)
  if (unpackaged.length > 0) {
    giveUp(`${manager} has no package for ${unpackaged.join(', ')}; install by hand`)
  }
  const packaged = missing.filter((program) => !unpackaged.includes(program))
  const packages = [...new Set(packaged.map((program) => PROGRAMS[program][manager]))]
  if (packages.length === 0) return
  const command =
    manager === 'apt'
      ? ['apt-get', 'install', '-y', '--no-install-recommends', ...packages]
      : ['dnf', 'install', '-y', ...packages]
  if (process.getuid() !== 0) {
    giveUp(`${packaged.join(', ')} missing; run: sudo ${command.join(' ')}`)
    return
  }
  say(`installing ${packages.join(' ')} (${packaged.join(', ')} missing): ${command.join(' ')}`)
  const failure = manager === 'apt' ? aptInstall(command) : runQuietly(command, 10 * MINUTE_MS)
  if (failure) giveUp(`${command.join(' ')} failed:\n${failure}`)
}

/** A missing test program only means skipped tests. */
function giveUp(text) {
  if (!options.allowMissing) stop(text)
  say(`${text}\nsetup: going on without`)
}

/** Packages must not start their services here: nginx would take port 80 of this machine. */
function aptInstall(command) {
  const policy = '/usr/sbin/policy-rc.d'
  const ours = !existsSync(policy)
  const remove = () => {
    if (ours) rmSync(policy, { force: true })
  }
  const interrupted = () => {
    remove()
    process.exit(1)
  }
  process.once('SIGINT', interrupted)
  process.once('SIGTERM', interrupted)
  try {
    if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
    if (!hasPackageLists()) runQuietly(['apt-get', 'update'], 5 * MINUTE_MS)
    const first = runQuietly(command, 10 * MINUTE_MS)
    if (!first) return ''
    say('once more after apt-get update')
    runQuietly(['apt-get', 'update'], 5 * MINUTE_MS)
    return runQuietly(command, 10 * MINUTE_MS)
  } finally {
    remove()
    process.off('SIGINT', interrupted)
    process.off('SIGTERM', interrupted)
  }
}

function hasPackageLists() {
  try {
    return readdirSync('/var/lib/apt/lists').some((name) => name.includes('_Packages'))
  } catch {
    return false
  }
}

/** Runs a command and returns what it said if it failed, or an empty string. */
function runQuietly(command, timeout) {
  const [program, ...args] = command
  const outcome = spawnSync(program, args, {
    cwd: ROOT,
    env: { ...environment, DEBIAN_FRONTEND: 'noninteractive' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
    timeout
  })
  if (outcome.status === 0) return ''
  const said = `${outcome.stdout ?? ''}${outcome.stderr ?? ''}`.trim()
  const reason = outcome.error ? `\n${outcome.error.message}` : ''
  return `${said.split('\n').slice(-40).join('\n')}${reason}` || `exit code ${outcome.status}`
}

function modulePath(...parts) {
  return join(ROOT, 'node_modules', ...parts)
}

/** Whether the modules are there exactly as package-lock.json wants them. */
function modulesAreCurrent() {
  try {
    const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages
    const present = JSON.parse(readFileSync(modulePath('.package-lock.json'), 'utf8')).packages
    return Object.entries(wanted).every(
      ([name, { version, optional }]) =>
        name === '' || optional === true || present[name]?.version === version
    )
  } catch {
    return false
  }
}

function npm(...args) {
  const beside = join(dirname(process.execPath), 'npm')
  const script = process.env.npm_execpath
  if (script?.endsWith('.js')) return [process.execPath, script, ...args]
  return [existsSync(beside) ? beside : 'npm', ...args]
}

function installModules() {
  if (modulesAreCurrent()) return
  say('installing node modules: npm ci')
  const failure = runQuietly(npm('ci', '--no-audit', '--no-fund'), 10 * MINUTE_MS)
  if (failure) stop(`npm ci failed:\n${failure}`)
}

/** The time of the newest file below a path, in milliseconds since the epoch. */
function newest(path) {
  if (!existsSync(path)) return 0
  const status = statSync(path)
  if (!status.isDirectory()) return status.mtimeMs
  return Math.max(status.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

function build() {
  const stamp = join(ROOT, 'dist/.tsbuildinfo')
  const sources = ['bin', 'src', 'test', 'bench', 'tsconfig.json', 'package-lock.json']
  const built = existsSync(stamp) ? statSync(stamp).mtimeMs : 0
  if (sources.every((source) => newest(join(ROOT, source)) <= built)) return
  say('building: npm run build')
  const failure = runQuietly([process.execPath, join(ROOT, 'scripts/build.mjs')], 5 * MINUTE_MS)
  if (failure) stop(`the build failed:\n${failure}`)
  const now = new Date()
  utimesSync(stamp, now, now)
}

// lane: patient - builds packages and installs them
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { REPOSITORY } from '../netns/lab/pair-files.js'
import { cannotRun } from '../netns/lab/requirements.js'
import { buildPackages } from './packages.js'

const execute = promisify(execFile)
const STEP_TIMEOUT_MS = 300_000
/** This machine as it is, and whatever is written to it is lost. */
const THROWAWAY = `set -e
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
mount -t proc proc /mnt/root/proc
mount --bind /dev /mnt/root/dev
exec chroot /mnt/root sh -ec "$1"`
const PLACES = '/usr/lib/tsha /usr/bin/tsha /usr/share/doc/tsha /usr/share/man/man8/tsha.8.gz'

/** Other versions of Node to install for, as a PATH: `TSHA_NODES=/opt/node22/bin:/opt/node24/bin`. */
const nodes = [
  dirname(process.execPath),
  ...(process.env['TSHA_NODES'] ?? '').split(delimiter).filter((folder) => folder !== '')
]

const folder = await mkdtemp(join(tmpdir(), 'tsha-packages-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))

const noRpm = cannotRun('rpmbuild', 'rpm', 'useradd')
t.setTimeout(800_000)
await t.test('the package for AlmaLinux', { skip: noRpm, timeout: 400_000 }, async (t) => {
  const [file = ''] = await buildPackages(['rpm'], folder)
  // The database of rpm knows nothing of what Debian has installed: --nodeps.
  const { stdout } = await execute(
    'unshare',
    [
      ...['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', THROWAWAY, 'sh'],
      `rpm --install --nodeps ${file}
      rpm --verify --nodeps tsha
      tsha --version
      stat -c '%A %U %G' /etc/tsha/tsha.yaml
      rpm --erase --nodeps tsha
      for place in ${PLACES}; do if [ -e $place ]; then echo left: $place; fi; done
      getent passwd tsha | cut -d: -f7`
    ],
    { timeout: STEP_TIMEOUT_MS }
  )
  t.same(stdout.trim().split('\n'), [
    await versionOf('package.json'),
    '-rw-r----- root tsha',
    '/usr/sbin/nologin'
  ])
})

/** It asks npm's registry for every module, for each Node: only where there is time for that. */
const noNpm =
  process.env['TSHA_LONG'] === '1' ? cannotRun('npm') : 'TSHA_LONG=1 installs the package of npm'
await t.test('the package of npm', { skip: noNpm, timeout: 400_000 }, async (t) => {
  const [file = ''] = await buildPackages(['npm'], folder)
  for (const bin of nodes) {
    const prefix = join(folder, 'npm', bin)
    const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` }
    const node = (await execute('node', ['--version'], { env })).stdout.trim()
    const quietly = ['--no-audit', '--no-fund', '--prefer-offline']
    const install = ['install', '--global', ...quietly, '--prefix', prefix, file]
    await execute('npm', install, { env, timeout: STEP_TIMEOUT_MS })
    const tsha = join(prefix, 'bin/tsha')
    const { stdout: version } = await execute(tsha, ['--version'], { env })
    t.equal(version.trim(), await versionOf('package.json'), `Node ${node}: installed`)
    const pair = join(REPOSITORY, 'docs/examples/pair/tsha.yaml')
    const { stdout } = await execute(tsha, ['check', '--role', 'master', '--config', pair], { env })
    t.match(stdout, '192.168.64.200/24', `Node ${node}: reads a configuration`)
    t.match(await listenOn(tsha, env), 'listening on lo', `Node ${node}: opens raw sockets`)
  }
})

async function versionOf(manifest: string): Promise<string> {
  const text = await readFile(join(REPOSITORY, manifest), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** What `tsha listen` says first; it needs the system calls that Node does not have. */
async function listenOn(tsha: string, env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(tsha, ['listen', '--interface', 'lo'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: STEP_TIMEOUT_MS
  })
  const exited = once(child, 'exit')
  try {
    const [said] = (await once(child.stderr, 'data')) as [Buffer]
    return said.toString()
  } finally {
    child.kill('SIGTERM')
    await exited
  }
}

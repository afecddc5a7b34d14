import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { CLEAN_ENVIRONMENT, LabProcess, type Outcome, type SpawnOptions } from './lab-process.js'
import { childrenOf, signalProcess } from './process-tree.js'

const START_TIMEOUT_MS = 10_000
const RUN_TIMEOUT_MS = 15_000

/** What a machine of the lab is. */
export interface HostDescription {
  readonly name: string
  /** IPv4 address of ens160 with a prefix length of 24, or null for the switch. */
  readonly address: string | null
  /** Whether its interfaces speak IPv6, without waiting for duplicates; default false. */
  readonly ipv6?: boolean
}

/**
 * Makes the namespaces into a machine, then stands as its first process until its standard input
 * closes. That is the whole clean-up: the kernel closes the pipe when the lab's process ends for
 * whatever reason, the first process ends, and with it its namespaces and everything in them.
 *
 * Everything a program may write lies on memory file systems of this mount namespace, so that the
 * real /etc, /run, /var/lib and /var/log never change. SIGCHLD is ignored so that the kernel buries orphans:
 * a dead nginx that nobody buries would still be found by `pgrep`.
 */
const FIRST_PROCESS = `
set -e
echo "$1" > /proc/sys/kernel/hostname
for each in all default; do
  if [ -e /proc/sys/net/ipv6/conf/$each/disable_ipv6 ]; then
    echo "$2" > /proc/sys/net/ipv6/conf/$each/disable_ipv6
    echo 0 > /proc/sys/net/ipv6/conf/$each/accept_dad
  fi
done
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lab/upper /run/lab/work /run/lab/lib /run/lab/libwork /run/lock
mount -t overlay -o lowerdir=/etc,upperdir=/run/lab/upper,workdir=/run/lab/work overlay /etc
mount -t overlay -o lowerdir=/var/lib,upperdir=/run/lab/lib,workdir=/run/lab/libwork overlay /var/lib
rm -rf /var/lib/tsha
mkdir -p /etc/keepalived /etc/nginx /etc/tsha
types=$(cat /etc/nginx/mime.types 2>/dev/null || echo 'types { text/html html; }')
mount -t tmpfs -o mode=755 tmpfs /etc/keepalived
mount -t tmpfs -o mode=755 tmpfs /etc/nginx
mount -t tmpfs -o mode=755 tmpfs /var/log
mkdir -p /etc/nginx/conf.d /var/log/nginx
printf '%s\\n' "$types" > /etc/nginx/mime.types
if [ -d /var/lib/nginx ]; then mount -t tmpfs -o mode=755 tmpfs /var/lib/nginx; fi
grep -q '^nginx:' /etc/group || echo 'nginx:x:64001:' >> /etc/group
grep -q '^nginx:' /etc/passwd || echo 'nginx:x:64001:64001:nginx:/var/lib/nginx:/usr/sbin/nologin' >> /etc/passwd
chown nginx:nginx /var/log/nginx
echo ready
exec env --ignore-signal=CHLD cat > /dev/null
`

/**
 * One machine of the lab: its own network, processes, mounts and name. It lives as long as the
 * process that made it, at most.
 */
export class Host {
  readonly name: string
  /** Its address on ens160; empty for the switch. */
  readonly address: string
  readonly #shell: ChildProcess
  readonly #pid: number

  private constructor(description: HostDescription, shell: ChildProcess, pid: number) {
    this.name = description.name
    this.address = description.address ?? ''
    this.#shell = shell
    this.#pid = pid
  }

  /** @throws {Error} with what the kernel refused, when namespaces cannot be made */
  static async start(description: HostDescription): Promise<Host> {
    const flags = ['--net', '--mount', '--pid', '--uts', '--fork', '--kill-child', '--mount-proc']
    const words = [description.name, description.ipv6 === true ? '0' : '1']
    const shell = spawn('unshare', [...flags, 'sh', '-c', FIRST_PROCESS, 'sh', ...words], {
      env: CLEAN_ENVIRONMENT,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true
    })
    let said = ''
    shell.stdin.on('error', () => {
      // Closed by the other end: the machine is gone, which everything else notices by itself.
    })
    shell.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4096)
    })
    const ready = once(shell.stdout, 'data', { signal: AbortSignal.timeout(START_TIMEOUT_MS) })
    const ended = new Promise<never>((_resolve, reject) => {
      shell.once('error', reject)
      shell.once('exit', () => {
        reject(new Error(`machine ${description.name} could not be made: ${said.trim()}`))
      })
    })
    ended.catch(() => {
      // After the start the end of a machine is nobody's error.
    })
    try {
      await Promise.race([ready, ended])
    } catch (error) {
      shell.kill('SIGKILL')
      throw error
    }
    const pid = shell.pid === undefined ? undefined : childrenOf(shell.pid)[0]
    if (pid === undefined) throw new Error(`machine ${description.name} ended while it started`)
    return new Host(description, shell, pid)
  }

  /** Id of its first process in the namespace of the caller, for `nsenter --target`. */
  get pid(): number {
    return this.#pid
  }

  /** The command that runs what follows it inside this machine. */
  get entrance(): readonly string[] {
    return ['nsenter', '--target', String(this.#pid), '--mount', '--uts', '--net', '--pid', '--']
  }

  /** The path by which the caller sees a file of this machine. */
  path(inside: string): string {
    return `/proc/${this.#pid}/root${inside}`
  }

  /** Starts a program that goes on running. */
  async spawn(
    command: string,
    args: readonly string[] = [],
    options: SpawnOptions = {}
  ): Promise<LabProcess> {
    const name = `${basename(command)} on ${this.name}`
    return LabProcess.start(name, this.entrance, [command, ...args], options)
  }

  /** Runs a program to its end; after `timeoutMs` it is killed, and its stderr says so. */
  async run(
    command: string,
    args: readonly string[] = [],
    options: SpawnOptions & { readonly timeoutMs?: number } = {}
  ): Promise<Outcome> {
    const started = await this.spawn(command, args, { input: '', ...options })
    return started.outcome(options.timeoutMs ?? RUN_TIMEOUT_MS)
  }

  /** Runs a program that has to succeed, and returns its stdout. */
  async must(command: string, ...args: readonly string[]): Promise<string> {
    const outcome = await this.run(command, args)
    if (outcome.code === 0) return outcome.stdout
    throw new Error(`${command} ${args.join(' ')} on ${this.name}: ${outcome.stderr.trim()}`)
  }

  async writeFile(inside: string, content: string | Buffer, mode = 0o644): Promise<void> {
    await mkdir(dirname(this.path(inside)), { recursive: true })
    await writeFile(this.path(inside), content)
    await chmod(this.path(inside), mode)
  }

  async readFile(inside: string): Promise<string> {
    return readFile(this.path(inside), 'utf8')
  }

  async removeFile(inside: string): Promise<void> {
    await rm(this.path(inside), { force: true })
  }

  /** The lines of `ip a` that tell the IPv4 addresses of an interface. */
  async addressLines(device = 'ens160'): Promise<string[]> {
    const text = await this.must('ip', '-4', 'addr', 'show', 'dev', device)
    return text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line.startsWith('inet '))
  }

  /** The hardware address that its neighbour table has for an address; empty when it has none. */
  async neighbour(address: string): Promise<string> {
    const text = await this.must('ip', '-4', 'neigh', 'show', address)
    return / lladdr ([0-9a-f:]+)/.exec(text)?.[1] ?? ''
  }

  /** Whether any interface has the address, as its own kernel sees it now. */
  async hasAddress(address: string): Promise<boolean> {
    const text = await this.must('ip', '-o', 'addr', 'show')
    return text.includes(` ${address}/`)
  }

  /** Ids, inside this machine, of the processes with this exact name: what `pgrep -x` looks for. */
  async pids(name: string): Promise<number[]> {
    const found: number[] = []
    for (const entry of await readdir(this.path('/proc'))) {
      if (!/^\d+$/.test(entry)) continue
      const comm = await readFile(this.path(`/proc/${entry}/comm`), 'utf8').catch(() => '')
      if (comm.trim() === name) found.push(Number(entry))
    }
    return found
  }

  /** Ids, inside this machine, of the processes that run a program, such as `node`, by any name. */
  async pidsOfProgram(program: string): Promise<number[]> {
    const found: number[] = []
    for (const entry of await readdir(this.path('/proc'))) {
      if (!/^\d+$/.test(entry)) continue
      const target = await readlink(this.path(`/proc/${entry}/exe`)).catch(() => '')
      if (basename(target) === program) found.push(Number(entry))
    }
    return found
  }

  /** Ends the machine and everything in it; resolves when it is gone. May be called again. */
  async close(): Promise<void> {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null) return
    const gone = once(this.#shell, 'exit')
    signalProcess(this.#pid, 'SIGKILL')
    this.#shell.stdin?.destroy()
    await gone
  }
}

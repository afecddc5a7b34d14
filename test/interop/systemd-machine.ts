import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Host } from '../netns/lab/host.js'
import { CLEAN_ENVIRONMENT, LabProcess, type Outcome } from '../netns/lab/lab-process.js'
import { childrenOf } from '../netns/lab/process-tree.js'

const BOOT_TIMEOUT_MS = 30_000
const RUN_TIMEOUT_MS = 30_000

/**
 * Waits for the end of its input, then ends the machine: also when the test process is killed. The
 * machine has a control group of its own, so that the real systemd of the machine below, if there is
 * one, sees nothing of it.
 */
const KEEPER = `
group="$1/tsha-test-$$"
mkdir "$group"
sh -c 'echo $$ > "$1/cgroup.procs"; shift; exec "$@"' sh "$group" \\
  $6 unshare --fork --kill-child --pid --mount --cgroup --uts --ipc $7 --mount-proc sh -c "$2" sh "$3" "$4" "$5" "$8" &
cat > /dev/null
kill -KILL $!
wait $!
echo 1 > "$group/cgroup.kill" 2>/dev/null
for try in 1 2 3 4 5 6 7 8 9 10; do
  find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
  [ -d "$group" ] || exit 0
  sleep 0.1
done
`

/** What it writes lies in memory; the folder with the packages is at /opt/packages. */
const FIRST_PROCESS = `
set -e
mount --make-rprivate /
mount --bind "$1" /mnt
mount --bind "$2" /media
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/systemd/system
for each in etc var usr; do
  mkdir -p /run/over/$each/upper /run/over/$each/work
  mount -t overlay overlay -o lowerdir=/$each,upperdir=/run/over/$each/upper,workdir=/run/over/$each/work /$each
done
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs -o mode=755 tmpfs /opt
mkdir /opt/packages
mount --move /mnt /opt/packages
ln -sf "/media/$3" /usr/local/bin/node
umount /sys/fs/cgroup/* 2>/dev/null || true
umount /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
if [ -n "$4" ]; then echo "$4" > /etc/hostname; fi
if ! ip link show ens160 > /dev/null 2>&1; then
  ip link set lo up
  ip link add ens160 type veth peer name wire
  ip link set wire up
  ip link set ens160 up
  ip addr add 192.168.64.130/24 dev ens160
fi
container=tsha-test exec /lib/systemd/systemd --system --unit=basic.target --log-target=null
`

/** Where the unified control groups are mounted; null where there are none. */
export function unifiedCgroup(): string | null {
  return /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1] ?? null
}

/** A machine of its own that was started by the real systemd. Needs root. */
export class SystemdMachine {
  readonly #keeper: ChildProcess
  readonly #pid: number

  private constructor(keeper: ChildProcess, pid: number) {
    this.#keeper = keeper
    this.#pid = pid
  }

  /**
   * Starts it, and waits until systemd says that it runs.
   *
   * @param packages a folder that it sees as /opt/packages
   * @param place the machine of a lab whose name and network it takes over; otherwise it is alone
   */
  static async boot(cgroup: string, packages: string, place?: Host): Promise<SystemdMachine> {
    const network =
      place === undefined
        ? ['', '--net', '']
        : [`nsenter --target ${place.pid} --net --`, '', place.name]
    const node = programOf(process.execPath)
    const keeper = spawn(
      'sh',
      ['-c', KEEPER, 'sh', cgroup, FIRST_PROCESS, packages, ...node, ...network],
      { env: CLEAN_ENVIRONMENT, stdio: ['pipe', 'ignore', 'ignore'], detached: true }
    )
    keeper.stdin.on('error', () => {
      // The machine is gone, which everything else notices by itself.
    })
    try {
      const machine = new SystemdMachine(keeper, await firstProcess(keeper))
      await machine.untilTrue('systemctl is-system-running --wait | grep -qE "running|degraded"')
      return machine
    } catch (error) {
      keeper.stdin.destroy()
      throw error
    }
  }

  /** Runs a line of shell inside. */
  async run(line: string): Promise<Outcome> {
    const entrance = `nsenter -t ${this.#pid} -m -p -u -i -n -C --`.split(' ')
    const shell = ['sh', '-c', line]
    const started = await LabProcess.start(line, entrance, shell, { input: '' })
    return started.outcome(RUN_TIMEOUT_MS)
  }

  /** Runs a line of shell that has to succeed, and returns what it says. */
  async must(line: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(line)
    if (code !== 0) throw new Error(`${line}: ${stdout}${stderr}`)
    return stdout.trim()
  }

  /** Resolves when a line of shell succeeds, with the time that took in milliseconds. */
  async untilTrue(line: string, timeoutMs = BOOT_TIMEOUT_MS): Promise<number> {
    const startedAt = Date.now()
    while ((await this.run(line)).code !== 0) {
      if (Date.now() - startedAt > timeoutMs) throw new Error(`not true in time: ${line}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return Date.now() - startedAt
  }

  async close(): Promise<void> {
    const gone = once(this.#keeper, 'exit')
    this.#keeper.stdin?.destroy()
    await gone
  }
}

function programOf(path: string): readonly [folder: string, name: string] {
  return [dirname(path), basename(path)]
}

/** Id, for the caller, of the process that becomes systemd. */
async function firstProcess(keeper: ChildProcess): Promise<number> {
  const deadline = Date.now() + BOOT_TIMEOUT_MS
  while (Date.now() < deadline && keeper.exitCode === null) {
    for (const unshare of childrenOf(keeper.pid ?? 0)) {
      for (const pid of childrenOf(unshare)) {
        const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
        if (name === 'systemd') return pid
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('systemd did not start')
}

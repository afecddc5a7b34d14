import { setTimeout } from 'node:timers/promises'
import type { Config, VirtualRouterConfig } from '../config/model.js'
import { TshaError } from '../errors.js'
import { SpawnGate } from '../health/spawn-gate.js'
import { withoutCapabilities } from '../linux/capabilities.js'
import { monotonicNow } from '../linux/clock.js'
import { findGroup, findUser, type User } from '../linux/users.js'
import type { SystemdNotifier } from '../linux/sd-notify.js'
import { connectionRoom, openFileLimit } from '../proxy/descriptors.js'
import type { ProxyConfig } from '../proxy/model.js'
import { DirectorHealth } from './health.js'
import { findIdentities } from './identities.js'
import { prepareLogFiles, type Owner } from './log-files.js'
import type { Log } from './log.js'
import { removePidFile, writePidFile } from './pid-file.js'
import type { RunningRouter } from './virtual-router.js'
import { WorkerSupervisor } from './worker-supervisor.js'

/** How long requests that run may take to finish when the director stops. */
const SHUTDOWN_GRACE_MS = 10_000
/** How often an interface that is gone is looked for. */
const REOPEN_INTERVAL_MS = 1000

/**
 * One director: its virtual routers, its proxy workers and its checks, joined. The order of starting
 * is sockets, workers, checks, election: a director competes only when it can serve.
 */
export class Director {
  readonly #config: Config
  readonly #log: Log
  readonly #systemd: SystemdNotifier
  #routers: RunningRouter[] = []
  #supervisor: WorkerSupervisor | null = null
  #health: DirectorHealth | null = null
  #workerOwner: Owner | null = null
  #watchdog: NodeJS.Timeout | null = null
  #isStopping = false
  #isReopening = false

  constructor(config: Config, log: Log, systemd: SystemdNotifier) {
    this.#config = config
    this.#log = log
    this.#systemd = systemd
  }

  /**
   * Resolves when everything runs, or when `stop` was called meanwhile.
   *
   * @throws {TshaError} what the system refused; `stop` undoes what was begun
   */
  async start(): Promise<void> {
    await this.#open()
    if (this.#isStopping) return
    this.#health?.start()
    for (const router of this.#routers) this.#startRouter(router)
    this.#log.info({ role: this.#config.role, routerId: this.#config.routerId }, 'tsha runs')
    this.#systemd.notify('READY=1', 'STATUS=running')
    const interval = this.#systemd.watchdogIntervalMs
    if (interval !== null) {
      this.#watchdog = setInterval(() => {
        this.#systemd.notify('WATCHDOG=1')
      }, interval)
    }
  }

  async #open(): Promise<void> {
    const { proxy, pidFile, virtualRouters } = this.#config
    for (const router of virtualRouters) {
      this.#routers.push(await openRouter(router, this.#log))
      if (this.#isStopping) return
    }
    const health = new DirectorHealth({
      config: this.#config,
      identityOf: await findIdentities(this.#config.scripts, isRoot()),
      starter: { fork: withoutCapabilities, gate: new SpawnGate() },
      log: this.#log,
      onChange: () => {
        this.#applyConditions()
      }
    })
    this.#health = health
    if (proxy) {
      this.#workerOwner = await findOwner(proxy.user, proxy.group)
      await prepareLogFiles(proxy, this.#workerOwner)
      if (this.#isStopping) return
      warnOfFileLimit(proxy, this.#log)
      this.#supervisor = new WorkerSupervisor(proxy, health.checkToken, this.#log, monotonicNow, {
        availabilityChanged: () => {
          health.checkServiceNow()
        }
      })
      await this.#supervisor.start()
    }
    if (pidFile !== null && !this.#isStopping) await writePidFile(pidFile, this.#log)
  }

  /** Writes the proxy's logs to new files after the old ones were moved away. */
  async reopenLogs(): Promise<void> {
    const { proxy } = this.#config
    if (!proxy) return
    if (this.#isReopening) {
      // A disk that hangs must not be given one thread after the other.
      this.#log.warn('log files are still being reopened')
      return
    }
    this.#isReopening = true
    try {
      await prepareLogFiles(proxy, this.#workerOwner)
    } finally {
      this.#isReopening = false
    }
    this.#supervisor?.reopenLogs()
    this.#log.info('log files reopened')
  }

  /**
   * Puts new processes in the place of the proxy's workers, one after the other; no request fails and
   * no address moves.
   */
  async replaceWorkers(): Promise<void> {
    const { proxy } = this.#config
    if (!proxy || !this.#supervisor) return
    this.#log.info('replacing the workers')
    // A new worker opens the logs, which may have been moved away.
    await prepareLogFiles(proxy, this.#workerOwner)
    await this.#supervisor.replaceWorkers()
  }

  /**
   * Hands the addresses over, lets the running requests finish, and ends every process. A second call
   * waits for nothing.
   */
  async stop({ graceMs = SHUTDOWN_GRACE_MS }: { graceMs?: number } = {}): Promise<void> {
    this.#isStopping = true
    this.#systemd.notify('STOPPING=1')
    // A check that fails because we stop must not be taken for an outage.
    this.#health?.stop()
    // A connection that is kept until the address has moved would break in the middle of a request.
    if (this.#routers.length > 0) this.#supervisor?.closeKept()
    await Promise.all(this.#routers.map((router) => router.stop()))
    await this.#supervisor?.stop(graceMs)
    if (this.#watchdog) clearInterval(this.#watchdog)
    if (this.#config.pidFile !== null) await removePidFile(this.#config.pidFile)
  }

  #startRouter(router: RunningRouter): void {
    router.start(() => {
      this.#reopen(router).catch((error: unknown) => {
        // Nothing in it rejects but for a bug of ours, which must not pass unseen.
        process.nextTick(() => {
          throw error
        })
      })
    })
  }

  /** The sockets of a virtual router die with its interface: it begins anew when that is back. */
  async #reopen(gone: RunningRouter): Promise<void> {
    await gone.stop()
    let opened: RunningRouter | null = null
    while (opened === null) {
      await setTimeout(REOPEN_INTERVAL_MS)
      if (this.#isStopping) return
      opened = await openRouter(gone.config, this.#log).catch(() => null)
    }
    const back = opened
    this.#routers = this.#routers.map((router) => (router === gone ? back : router))
    this.#startRouter(back)
    this.#applyConditions()
    // A request to stop that came while it was opened did not know of it.
    if (this.#isStopping) await back.stop()
  }

  #applyConditions(): void {
    for (const router of this.#routers) {
      const conditions = this.#health?.conditionsOf(router.config)
      if (conditions) router.setConditions(conditions)
    }
  }
}

/** A plain proxy needs no raw socket: their native module is loaded only for a virtual router. */
async function openRouter(config: VirtualRouterConfig, log: Log): Promise<RunningRouter> {
  const { RunningRouter } = await import('./virtual-router.js')
  return RunningRouter.open(config, log)
}

/** As nginx: workers have the limits of their director. */
function warnOfFileLimit({ workerConnections }: ProxyConfig, log: Log): void {
  const openFiles = openFileLimit() ?? 0
  const { connections } = connectionRoom(workerConnections, openFiles)
  if (connections >= workerConnections) return
  log.warn(
    { workerConnections, openFiles, connections },
    `${workerConnections} worker_connections exceed the limit of open files: ${openFiles}; ` +
      `a worker takes ${connections}`
  )
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** Whom the log files of the workers belong to; null when we may not choose. */
async function findOwner(user: string | null, group: string | null): Promise<Owner | null> {
  if (user === null || !isRoot()) return null
  const found: User | null = await findUser(user)
  const gid = group === null ? found?.gid : await findGroup(group)
  if (!found || gid === undefined || gid === null) {
    throw new TshaError('TSHA_E_WORKER', `user ${user} or group ${group ?? ''} does not exist`)
  }
  return { uid: found.uid, gid }
}

import { uptime } from 'node:os'
import type { CommandResult, ConfigurationStatus, Status } from '../admin/model.js'
import type { Config } from '../config/model.js'
import { messageOf, TshaError } from '../errors.js'
import { SpawnGate } from '../health/spawn-gate.js'
import { withoutCapabilities } from '../linux/capabilities.js'
import { monotonicNow, systemClock } from '../linux/clock.js'
import { applyScheduling } from '../linux/scheduling.js'
import { findGroup, findUser, type User } from '../linux/users.js'
import type { SystemdNotifier } from '../linux/sd-notify.js'
import { connectionRoom, openFileLimit } from '../proxy/descriptors.js'
import type { ProxyConfig } from '../proxy/model.js'
import { AdminLink } from './admin-link.js'
import { adminChange } from './admin-owner.js'
import { refused } from './command-results.js'
import type { Commands } from './commands.js'
import { Elections } from './elections.js'
import { DirectorHealth } from './health.js'
import { FlightRecorder } from './flight-recorder.js'
import { findIdentities } from './identities.js'
import { prepareLogFiles, type Owner } from './log-files.js'
import type { Journal } from './journal.js'
import type { Log } from './log.js'
import { Notifier, notifyCommandsOf, type NotifierOptions } from './notify/notifier.js'
import { takeOrders } from './orders.js'
import { removePidFile, writePidFile } from './pid-file.js'
import { RouterWishes } from './router-wishes.js'
import { statusOf } from './status.js'
import { VERSION } from './version.js'
import { WorkerSupervisor, type Replacement } from './worker-supervisor.js'

/** How long requests that run may take to finish when the director stops. */
const SHUTDOWN_GRACE_MS = 10_000

/** What a director is told of itself, for its status. */
export interface DirectorIdentity {
  readonly journal: Journal
  readonly configuration: ConfigurationStatus
}

/**
 * One director: its virtual routers, its proxy workers and its checks, joined. The order of starting
 * is sockets, workers, checks, election: a director competes only when it can serve.
 */
export class Director {
  readonly #config: Config
  readonly #log: Log
  readonly #systemd: SystemdNotifier
  /** What happened lately, to be played again. */
  readonly recorder: FlightRecorder
  readonly #journal: Journal
  readonly #configuration: ConfigurationStatus
  readonly #startedAt = systemClock.instant()
  readonly #wishes = new RouterWishes()
  #elections: Elections | null = null
  #notifier: Notifier | null = null
  #supervisor: WorkerSupervisor | null = null
  #health: DirectorHealth | null = null
  #admin: AdminLink | null = null
  /** Null until everything runs. */
  #commands: Commands | null = null
  #workerOwner: Owner | null = null
  #watchdog: NodeJS.Timeout | null = null
  #startDelay: NodeJS.Timeout | null = null
  #isStopping = false
  #isBroken = false
  #isReopening = false

  constructor(
    config: Config,
    log: Log,
    systemd: SystemdNotifier,
    { journal, configuration }: DirectorIdentity
  ) {
    this.#config = config
    this.#log = log
    this.#systemd = systemd
    this.#journal = journal
    this.#configuration = configuration
    const { role, routerId } = config
    this.recorder = new FlightRecorder(
      { version: VERSION, role, routerId, pid: process.pid },
      systemClock,
      (message) => {
        log.error(message)
      }
    )
  }

  /** Everything that this director knows about itself at this moment. */
  status(): Status {
    return statusOf(
      {
        version: VERSION,
        configuration: this.#configuration,
        role: this.#config.role,
        routerId: this.#config.routerId,
        pid: process.pid,
        startedAt: this.#startedAt,
        elections: this.#elections?.facts() ?? null,
        checks: this.#health?.checks() ?? [],
        proxy: this.#supervisor?.facts() ?? null,
        wishes: this.#wishes
      },
      systemClock.instant()
    )
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
    this.#startElections()
    this.#takeOrders()
    this.#log.info({ role: this.#config.role, routerId: this.#config.routerId }, 'tsha runs')
    this.#systemd.notify('READY=1', 'STATUS=running')
    const interval = this.#systemd.watchdogIntervalMs
    if (interval !== null) {
      this.#watchdog = setInterval(() => {
        this.#systemd.notify('WATCHDOG=1')
      }, interval)
    }
    this.#startAdmin().catch((error: unknown) => {
      this.#log.warn(`no administration: ${messageOf(error)}`)
    })
  }

  /** A director that cannot be watched still serves. */
  async #startAdmin(): Promise<void> {
    const change = await adminChange(this.#config, isRoot())
    if (change === null || this.#isStopping) return
    this.#admin = new AdminLink({
      ...change,
      version: VERSION,
      log: this.#log,
      now: monotonicNow,
      ports: {
        status: () => this.status(),
        perform: (command, by) => {
          this.recorder.note('command', null, { ...command, by })
          return this.perform(command, by)
        },
        eventsAfter: (id, limit) => this.#journal.after(id, limit),
        recordingReset: () => {
          this.recorder.onLines((lines) => {
            for (const line of lines) this.#admin?.record(line)
          })
        }
      }
    })
    this.#admin.start()
    this.#journal.onEvent(() => {
      this.#admin?.eventsCame()
    })
  }

  async #open(): Promise<void> {
    const { proxy, pidFile, scripts, virtualRouters, election } = this.#config
    const programs = [...scripts, ...notifyCommandsOf(this.#config)]
    const accounts = election.notifyFifo ? [...programs, election.notifyFifo] : programs
    const identityOf = await findIdentities(accounts, isRoot())
    const starter = { fork: withoutCapabilities, gate: new SpawnGate() }
    const health = new DirectorHealth({
      config: this.#config,
      identityOf,
      starter,
      log: this.#log,
      recorder: this.recorder,
      onChange: () => {
        this.#elections?.applyConditions()
      }
    })
    this.#health = health
    if (virtualRouters.length > 0) {
      for (const refusal of applyScheduling(election)) this.#log.warn(refusal)
      await this.#openNotifier({ fifo: election.notifyFifo, identityOf, starter, log: this.#log })
      if (this.#notifier === null) return
      this.#elections = new Elections({
        config: this.#config,
        log: this.#log,
        notifier: this.#notifier,
        recorder: this.recorder,
        wishes: this.#wishes,
        conditionsOf: (router) => health.conditionsOf(router),
        linkChanged: (name, isUp) => {
          health.linkChanged(name, isUp)
        }
      })
      await this.#elections.open(DirectorHealth.interfacesOf(this.#config))
      if (this.#isStopping) return
    }
    if (proxy) {
      this.#workerOwner = await findOwner(proxy.user, proxy.group)
      await prepareLogFiles(proxy, this.#workerOwner)
      if (this.#isStopping) return
      warnOfFileLimit(proxy, this.#log)
      this.#supervisor = new WorkerSupervisor(
        proxy,
        health.checkToken,
        this.#log,
        monotonicNow,
        {
          availabilityChanged: () => {
            health.checkServiceNow()
          }
        },
        this.recorder
      )
      await this.#supervisor.start()
    }
    if (pidFile !== null && !this.#isStopping) await writePidFile(pidFile, this.#log)
  }

  async #openNotifier(options: NotifierOptions): Promise<void> {
    const notifier = await Notifier.open(options)
    // A request to stop that came meanwhile did not know of it.
    if (this.#isStopping) await notifier.stop()
    else this.#notifier = notifier
  }

  /** An error that nobody foresaw will end this director: what led to it must not be lost. */
  brokeDown(error: unknown): void {
    this.#isBroken = true
    this.recorder.note('end', null, { error: messageOf(error) })
    this.#admin?.flush()
  }

  /** As long as the elections are not started they hear nothing, and nobody becomes master. */
  #startElections(): void {
    const { startupDelayMs, delayAfterBootMs } = this.#config.election
    const delayMs = Math.max(startupDelayMs, delayAfterBootMs - uptime() * 1000)
    if (this.#elections === null || delayMs <= 0) {
      this.#elections?.start()
      return
    }
    this.#log.info({ delayMs: Math.round(delayMs) }, 'the elections begin later')
    this.#startDelay = setTimeout(() => {
      this.#elections?.start()
    }, delayMs)
  }

  #takeOrders(): void {
    if (this.#health === null) return
    this.#commands = takeOrders({
      config: () => this.#config,
      log: this.#log,
      wishes: this.#wishes,
      elections: this.#elections,
      supervisor: this.#supervisor,
      health: this.#health,
      obstacle: () => (this.#isStopping ? 'the director is stopping' : null),
      reload: () => this.reload(),
      reopenLogs: () => this.reopenLogs(),
      replaceWorkers: () => this.replaceWorkers(),
      prepareLogs: () => this.#prepareLogs(),
      tellStatus: (status) => {
        if (!this.#isStopping) this.#systemd.notify(`STATUS=${status}`)
      }
    })
  }

  /**
   * Carries out what an administrator orders, checked again here; never rejects.
   *
   * @param command a `Command` of the admin contract
   * @param by who asked, for the log
   */
  async perform(command: unknown, by: string): Promise<CommandResult> {
    return (
      this.#commands?.perform(command, by) ?? refused('TSHA_E_CONFLICT', 'the director is starting')
    )
  }

  /** Reads the configuration anew. */
  reload(): Promise<CommandResult> {
    return Promise.resolve(
      refused('TSHA_E_CONFLICT', 'reloading is not possible yet: restart tsha')
    )
  }

  async #prepareLogs(): Promise<void> {
    if (this.#config.proxy) await prepareLogFiles(this.#config.proxy, this.#workerOwner)
  }

  /**
   * Writes the proxy's logs to new files after the old ones were moved away. Resolves with false when
   * that is going on already.
   */
  async reopenLogs(): Promise<boolean> {
    if (!this.#config.proxy) return true
    if (this.#isReopening) {
      // A disk that hangs must not be given one thread after the other.
      this.#log.warn('log files are still being reopened')
      return false
    }
    this.#isReopening = true
    try {
      await this.#prepareLogs()
    } finally {
      this.#isReopening = false
    }
    this.#supervisor?.reopenLogs()
    this.#log.info('log files reopened')
    return true
  }

  /**
   * Puts new processes in the place of the proxy's workers, one after the other; no request fails and
   * no address moves.
   */
  async replaceWorkers(): Promise<Replacement> {
    if (!this.#supervisor) return 'not-running'
    this.#log.info('replacing the workers')
    // A new worker opens the logs, which may have been moved away.
    await this.#prepareLogs()
    return this.#supervisor.replaceWorkers()
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
    if (this.#startDelay) clearTimeout(this.#startDelay)
    // A connection that is kept until the address has moved would break in the middle of a request.
    if (this.#elections) this.#supervisor?.closeKept(true)
    await this.#elections?.stop()
    await Promise.all([this.#supervisor?.close(graceMs), this.#notifier?.stop()])
    // Last of all, so that it tells how the addresses went.
    await (this.#isBroken ? this.#admin?.abandon() : this.#admin?.stop())
    if (this.#watchdog) clearInterval(this.#watchdog)
    if (this.#config.pidFile !== null) await removePidFile(this.#config.pidFile)
  }
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

import { uptime } from 'node:os'
import type { CommandResult, Status } from '../admin/model.js'
import type { LoadOptions } from '../config/load.js'
import type { Config } from '../config/model.js'
import { isSame } from '../config/same.js'
import { messageOf, TshaError } from '../errors.js'
import { SpawnGate } from '../health/spawn-gate.js'
import { withoutCapabilities } from '../linux/capabilities.js'
import { systemClock } from '../linux/clock.js'
import { applyScheduling } from '../linux/scheduling.js'
import type { SystemdNotifier } from '../linux/sd-notify.js'
import { isRoot } from '../linux/users.js'
import { Administration } from './admin/administration.js'
import { refused } from './orders/command-results.js'
import type { Commands } from './orders/commands.js'
import { ConfigLoader } from './reload/config-loader.js'
import { Elections, type PreparedElections } from './elections/elections.js'
import { DirectorHealth } from './health.js'
import { FlightRecorder } from './recording/flight-recorder.js'
import { findIdentities, type IdentityOf } from './identities.js'
import type { Journal } from './status/journal.js'
import type { Log } from './log.js'
import { Notifier, notifyCommandsOf } from './notify/notifier.js'
import { takeOrders } from './orders/orders.js'
import { removePidFile, writePidFile } from './pid-file.js'
import { PROXY_BUSY, ProxyService, type PreparedProxy } from './workers/proxy-service.js'
import { Reloads } from './reload/reloads.js'
import { RouterWishes } from './orders/router-wishes.js'
import { statusOf } from './status/status.js'
import { VERSION } from './version.js'
import type { Replacement } from './workers/worker-supervisor.js'

/** How long requests that run may take to finish when the director stops. */
const SHUTDOWN_GRACE_MS = 10_000

/** What a director is told of itself, for its status. */
export interface DirectorIdentity {
  readonly journal: Journal
  /** From which its configuration was read. */
  readonly files: readonly string[]
  /** Of its configuration. */
  readonly hash: string
}

/**
 * One director: its virtual routers, its proxy workers and its checks, joined. The order of starting
 * is sockets, workers, checks, election: a director competes only when it can serve. The file is long
 * because starting, changing and stopping are about the same parts, and their orders belong together.
 */
export class Director {
  #config: Config
  readonly #log: Log
  readonly #systemd: SystemdNotifier
  /** What happened lately, to be played again. */
  readonly recorder: FlightRecorder
  readonly #administration: Administration
  readonly #startedAt = systemClock.instant()
  readonly #loader: ConfigLoader
  readonly #reloads: Reloads
  readonly #wishes = new RouterWishes()
  readonly #starter = { fork: withoutCapabilities, gate: new SpawnGate() }
  #loadedAt = new Date()
  #elections: Elections | null = null
  #notifier: Notifier | null = null
  #proxy: ProxyService | null = null
  #health: DirectorHealth | null = null
  #watchdog: NodeJS.Timeout | null = null
  #startDelay: NodeJS.Timeout | null = null
  /** Null until everything runs. */
  #commands: Commands | null = null
  #isStopping = false
  #isBroken = false
  #files: readonly string[]
  #hash: string

  /** @param source what the configuration was loaded from, and is again at a reload */
  constructor(
    config: Config,
    source: LoadOptions,
    log: Log,
    systemd: SystemdNotifier,
    { journal, files, hash }: DirectorIdentity
  ) {
    this.#config = config
    this.#log = log
    this.#systemd = systemd
    this.#files = files
    this.#hash = hash
    this.#loader = new ConfigLoader(source)
    this.#reloads = new Reloads(log, systemd)
    const { role, routerId } = config
    this.recorder = new FlightRecorder(
      { version: VERSION, role, routerId, pid: process.pid },
      systemClock,
      (message) => {
        log.error(message)
      }
    )
    this.#administration = new Administration({
      log,
      journal,
      recorder: this.recorder,
      status: () => this.status(),
      perform: (command, by) => this.perform(command, by)
    })
  }

  /** Everything that this director knows about itself at this moment. */
  status(): Status {
    const { last } = this.#reloads
    return statusOf(
      {
        version: VERSION,
        configuration: {
          files: this.#files,
          hash: this.#hash,
          loaded_at: this.#loadedAt.toISOString(),
          last_reload: last && { ...last, at: last.at.toISOString() }
        },
        role: this.#config.role,
        routerId: this.#config.routerId,
        pid: process.pid,
        startedAt: this.#startedAt,
        elections: this.#elections?.facts() ?? null,
        checks: this.#health?.checks() ?? [],
        proxy: this.#proxy?.facts() ?? null,
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
    this.#administration.start(this.#config)
  }

  async #open(): Promise<void> {
    const { proxy, pidFile, virtualRouters } = this.#config
    const identityOf = await identitiesOf(this.#config)
    const health = new DirectorHealth({
      config: this.#config,
      identityOf,
      starter: this.#starter,
      log: this.#log,
      recorder: this.recorder,
      onChange: () => {
        this.#elections?.applyConditions()
      }
    })
    this.#health = health
    if (virtualRouters.length > 0) {
      const elections = await this.#openElections(this.#config, identityOf, health)
      await elections?.open(DirectorHealth.interfacesOf(this.#config))
      if (this.#isStopping) return
    }
    this.#proxy = new ProxyService({
      checkToken: health.checkToken,
      log: this.#log,
      recorder: this.recorder,
      availabilityChanged: () => {
        health.checkServiceNow()
      }
    })
    if (proxy) await this.#proxy.start(proxy)
    if (pidFile !== null && !this.#isStopping) await writePidFile(pidFile, this.#log)
  }

  /** Whom the elections tell, and the elections themselves; nothing of it when `stop` was called. */
  async #openElections(
    config: Config,
    identityOf: IdentityOf,
    health: DirectorHealth
  ): Promise<Elections | null> {
    const { election } = config
    for (const refusal of applyScheduling(election)) this.#log.warn(refusal)
    const fifo = election.notifyFifo
    const options = { fifo, identityOf, starter: this.#starter, log: this.#log }
    const notifier = await Notifier.open(options)
    // A request to stop that came meanwhile did not know of it.
    if (this.#isStopping) {
      await notifier.stop()
      return null
    }
    this.#notifier = notifier
    const elections = new Elections({
      config,
      log: this.#log,
      notifier,
      recorder: this.recorder,
      wishes: this.#wishes,
      conditionsOf: (router, isTakingPart) => health.conditionsOf(router, isTakingPart),
      linkChanged: (name, isUp) => {
        health.linkChanged(name, isUp)
      }
    })
    this.#elections = elections
    return elections
  }

  /** An error that nobody foresaw will end this director: what led to it must not be lost. */
  brokeDown(error: unknown): void {
    this.#isBroken = true
    this.recorder.note('end', null, { error: messageOf(error) })
    this.#administration.flush()
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
      recorder: this.recorder,
      wishes: this.#wishes,
      elections: () => this.#elections,
      supervisor: () => this.#proxy?.supervisor ?? null,
      health: this.#health,
      obstacle: () => (this.#isStopping ? 'the director is stopping' : null),
      reload: () => this.reload(),
      reopenLogs: () => this.reopenLogs(),
      replaceWorkers: () => this.replaceWorkers(),
      prepareLogs: async () => this.#proxy?.prepareLogs(),
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
    return this.#commands?.perform(command, by) ?? conflict('the director is starting')
  }

  /**
   * Writes the proxy's logs to new files after the old ones were moved away. Resolves with false when
   * that is going on already.
   */
  async reopenLogs(): Promise<boolean> {
    return this.#proxy?.reopenLogs() ?? true
  }

  /**
   * Puts new processes in the place of the proxy's workers, one after the other; no request fails and
   * no address moves.
   */
  async replaceWorkers(): Promise<Replacement> {
    return this.#proxy?.replaceWorkers() ?? 'not-running'
  }

  /**
   * Reads the configuration anew and applies what has changed. Everything that can fail is done first; if
   * any of it does, all stays as it was, and the result says why. Rejects only for a bug of ours.
   */
  async reload(): Promise<CommandResult> {
    if (this.#commands === null || this.#isStopping)
      return conflict('the director is starting or stopping')
    const result = await this.#reloads.run(() => this.#reload())
    if (result.ok) this.#administration.renew(this.#config)
    return result
  }

  async #reload(): Promise<CommandResult> {
    const outcome = await this.#loader.load(this.#config)
    // Then it was ended, which is no fault of the configuration.
    if (this.#isStopping) return conflict('the director is stopping')
    if (!outcome.ok) return refused('TSHA_E_CONFIG_REFUSED', ...outcome.lines)
    const { changes: lines, loaded, hash } = outcome
    const { config, notes, files } = loaded
    const commit = lines.length === 0 ? nothing : await this.#prepare(config)
    if (typeof commit !== 'function') return commit
    for (const note of notes) this.#log.info(note)
    this.#loadedAt = new Date()
    this.#files = files
    this.#hash = hash
    await commit()
    return { ok: true, lines: lines.length === 0 ? ['nothing has changed'] : lines }
  }

  /** Everything that can fail. Returns what is left to do; or why it cannot be done, and nothing is changed. */
  async #prepare(config: Config): Promise<CommandResult | (() => Promise<void>)> {
    const undo: (() => void)[] = []
    const give = (result: CommandResult): CommandResult => {
      for (const each of undo) each()
      return result
    }
    try {
      const identityOf = await identitiesOf(config)
      const elections = await this.#prepareElections(config, identityOf)
      if (elections)
        undo.push(() => {
          elections.abort()
        })
      const isSameProxy = isSame(this.#config.proxy, config.proxy)
      const proxy = isSameProxy ? null : ((await this.#proxy?.prepare(config.proxy)) ?? null)
      if (proxy)
        undo.push(() => {
          proxy.abort()
        })
      if (this.#isStopping) return give(conflict('the director is stopping'))
      // What it stops, or starts, would be another one than the one that it was about.
      const isBusy = proxy !== null && this.#commands?.isProxyChanging === true
      const obstacle = elections?.obstacle ?? proxy?.obstacle ?? (isBusy ? PROXY_BUSY : null)
      if (obstacle !== null) return give(refused('TSHA_E_CONFIG_REFUSED', obstacle))
      return () => this.#commit(config, identityOf, elections, proxy)
    } catch (error) {
      // Whatever it was, all stays as it was: no reason to end a director that serves.
      if (!(error instanceof TshaError)) this.#log.error(error, 'a reload failed')
      const code = error instanceof TshaError ? ` [${error.code}]` : ''
      return give(refused('TSHA_E_CONFIG_REFUSED', `${messageOf(error)}${code}`))
    }
  }

  async #prepareElections(
    config: Config,
    identityOf: IdentityOf
  ): Promise<PreparedElections | null> {
    const elections = this.#elections ?? (await this.#firstElections(config, identityOf))
    return elections?.prepare(config, DirectorHealth.interfacesOf(config)) ?? null
  }

  /** Without virtual routers of its own yet, so that they come as any other new ones do. */
  async #firstElections(config: Config, identityOf: IdentityOf): Promise<Elections | null> {
    if (config.virtualRouters.length === 0 || this.#health === null) return null
    const none = { ...config, virtualRouters: [], syncGroups: [] }
    const elections = await this.#openElections(none, identityOf, this.#health)
    elections?.start()
    return elections
  }

  /** Nothing in it fails, and nothing waits before everything has changed. */
  async #commit(
    config: Config,
    identityOf: IdentityOf,
    elections: PreparedElections | null,
    proxy: PreparedProxy | null
  ): Promise<void> {
    const before = this.#config
    this.#config = config
    this.#notifier?.setIdentities(identityOf)
    this.#health?.reconfigure(config, identityOf)
    const settled = elections?.commit()
    if (proxy) {
      proxy.commit()
      // One that was stopped by an order may be gone, and this one begins.
      if (this.#proxy?.supervisor?.state !== 'stopped') this.#health?.setServiceStopped(false)
    }
    await Promise.all([
      settled,
      this.#notifier?.setFifo(config.election.notifyFifo),
      this.#movePidFile(before.pidFile, config.pidFile)
    ])
  }

  async #movePidFile(before: string | null, after: string | null): Promise<void> {
    if (before === after) return
    if (after !== null) await writePidFile(after, this.#log)
    if (before !== null) await removePidFile(before)
  }

  /**
   * Hands the addresses over, lets the running requests finish, and ends every process. A second call
   * waits for nothing.
   */
  async stop({ graceMs = SHUTDOWN_GRACE_MS }: { graceMs?: number } = {}): Promise<void> {
    this.#isStopping = true
    this.#systemd.notify('STOPPING=1')
    this.#loader.stop()
    // A check that fails because we stop must not be taken for an outage.
    this.#health?.stop()
    if (this.#startDelay) clearTimeout(this.#startDelay)
    // A connection that is kept until the address has moved would break in the middle of a request.
    if (this.#elections) this.#proxy?.closeKept(true)
    await this.#elections?.stop()
    await Promise.all([this.#proxy?.stop(graceMs), this.#notifier?.stop()])
    await this.#reloads.ended
    // Last of all, so that it tells how the addresses went.
    await this.#administration.stop(this.#isBroken)
    if (this.#watchdog) clearInterval(this.#watchdog)
    if (this.#config.pidFile !== null) await removePidFile(this.#config.pidFile)
  }
}

/** Whom every program that may be started runs as. */
function identitiesOf(config: Config): Promise<IdentityOf> {
  const programs = [...config.scripts, ...notifyCommandsOf(config)]
  const { notifyFifo } = config.election
  return findIdentities(notifyFifo ? [...programs, notifyFifo] : programs, isRoot())
}

function nothing(): Promise<void> {
  return Promise.resolve()
}

function conflict(line: string): CommandResult {
  return refused('TSHA_E_CONFLICT', line)
}

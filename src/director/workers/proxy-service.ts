import type { Log } from '../log.js'
import { prepareLogFiles, type Owner } from './log-files.js'
import { TshaError } from '../../errors.js'
import { monotonicNow } from '../../linux/clock.js'
import { findGroup, findUser, isRoot } from '../../linux/users.js'
import { connectionRoom, openFileLimit } from '../../proxy/descriptors.js'
import type { ProxyConfig } from '../../proxy/model.js'
import { trafficNames } from '../../proxy/traffic-names.js'
import type { FlightRecorder } from '../recording/flight-recorder.js'
import type { ProxyFacts } from '../status/status-proxy.js'
import { TrafficBook } from './traffic-book.js'
import { WorkerSupervisor, type Replacement, type SupervisorObserver } from './worker-supervisor.js'

/** How long workers of an earlier configuration may take for what they still serve. Nobody waits for it. */
const RETIRE_GRACE_MS = 60_000
/** Earlier configurations whose workers may still serve; the next reload waits for the oldest of them. */
const MOST_RETIRED = 3

/** Why a reload has to wait. */
export const PROXY_BUSY =
  'the proxy is being stopped or started by an order; reload again when that is done'

/** What the proxy needs of its director. */
export interface ProxyServiceOptions extends SupervisorObserver {
  /** A request that carries this token is the service check of the director. */
  readonly checkToken: string
  readonly log: Log
  readonly recorder?: FlightRecorder | null
}

/** Workers that serve by one configuration, which all began with. */
interface Generation {
  readonly config: ProxyConfig
  readonly owner: Owner | null
  readonly supervisor: WorkerSupervisor
}

/** Another configuration by which workers serve already, beside those of the present one. */
export interface PreparedProxy {
  /** Why it cannot be applied any more; null when it can. */
  readonly obstacle: string | null
  /** The old workers finish what they serve, and end. */
  commit(): void
  /** The new ones do. */
  abort(): void
}

/**
 * The proxy of a director. A configuration is served by workers that were started with it: another one
 * gets others, which listen on the same sockets before the old ones stop to, so that no connection is
 * lost. What an old worker reports is about the configuration that it serves by, and stays there.
 */
export class ProxyService {
  readonly #options: ProxyServiceOptions
  readonly #log: Log
  /** Counts go on whatever is configured. */
  readonly #traffic = new TrafficBook({ listeners: [], peers: [] }, monotonicNow())
  #current: Generation | null = null
  /** Begins; what ends it if the director stops meanwhile. */
  #starting: WorkerSupervisor | null = null
  readonly #retired = new Map<WorkerSupervisor, Promise<void>>()
  #isStopping = false
  #isReopening = false

  constructor(options: ProxyServiceOptions) {
    this.#options = options
    this.#log = options.log
  }

  /** The workers that serve by the present configuration; null without a proxy. */
  get supervisor(): WorkerSupervisor | null {
    return this.#current?.supervisor ?? null
  }

  /** What is known of the workers and the peers at this moment; null without a proxy. */
  facts(): ProxyFacts | null {
    if (!this.#current) return null
    const retired = [...this.#retired.keys()].flatMap((supervisor) => supervisor.facts().workers)
    const facts = this.#current.supervisor.facts()
    return { ...facts, workers: [...facts.workers, ...retired] }
  }

  /**
   * Starts the workers; resolves when all of them listen, or when `stop` was called meanwhile.
   *
   * @throws {TshaError} what the system refused; nothing is left running
   */
  async start(config: ProxyConfig): Promise<void> {
    const generation = await this.#newGeneration(config)
    if (generation === null) return
    // What ends it has to know of it.
    this.#current = generation
    this.#traffic.use(trafficNames(config), monotonicNow())
    await generation.supervisor.start()
  }

  /**
   * Starts workers with another configuration, one after the other. Resolves when all of them listen; with
   * null if nothing has to change, or if `stop` was called meanwhile.
   *
   * @param config null for no proxy
   * @throws {TshaError} what the system refused; then only the old workers are left
   */
  async prepare(config: ProxyConfig | null): Promise<PreparedProxy> {
    await this.#untilFewRetired()
    const state = this.#current?.supervisor.state ?? 'running'
    if (state === 'starting' || state === 'stopping')
      throw new TshaError('TSHA_E_WORKER', PROXY_BUSY)
    const next = config && (await this.#newGeneration(config))
    if (next && this.#current) next.supervisor.takeOver(this.#current.supervisor)
    // What an administrator has stopped stays so, and starts with the new configuration.
    if (next && state !== 'stopped') {
      this.#starting = next.supervisor
      try {
        await next.supervisor.start('in-turn')
      } finally {
        this.#starting = null
      }
    }
    const old = this.#current?.supervisor
    return {
      get obstacle() {
        return old === undefined || old.state === state ? null : PROXY_BUSY
      },
      commit: () => {
        const old = this.#current
        if (old) next?.supervisor.followWishesOf(old.supervisor)
        this.#current = next
        if (next) this.#traffic.use(trafficNames(next.config), monotonicNow())
        if (old) this.#retire(old.supervisor)
        this.#options.availabilityChanged()
      },
      abort: () => {
        if (next) this.#retire(next.supervisor)
      }
    }
  }

  /**
   * Writes the logs to new files after the old ones were moved away. Resolves with false when that is
   * going on already.
   */
  async reopenLogs(): Promise<boolean> {
    if (!this.#current) return true
    if (this.#isReopening) {
      // A disk that hangs must not be given one thread after the other.
      this.#log.warn('log files are still being reopened')
      return false
    }
    this.#isReopening = true
    try {
      await this.prepareLogs()
    } finally {
      this.#isReopening = false
    }
    for (const supervisor of this.#all) supervisor.reopenLogs()
    this.#log.info('log files reopened')
    return true
  }

  /** Makes the log files that workers write to. */
  async prepareLogs(): Promise<void> {
    if (this.#current) await prepareLogFiles(this.#current.config, this.#current.owner)
  }

  /** Puts new processes in the place of the workers, one after the other. */
  async replaceWorkers(): Promise<Replacement> {
    if (!this.#current) return 'not-running'
    this.#log.info('replacing the workers')
    // A new worker opens the logs, which may have been moved away.
    await this.prepareLogs()
    return this.#current.supervisor.replaceWorkers()
  }

  /** Has the workers close each connection of a client after its next response, or keep them again. */
  closeKept(isOn: boolean): void {
    for (const supervisor of this.#all) supervisor.closeKept(isOn)
  }

  /** Ends all workers: they finish what runs for at most `graceMs`. Callable twice. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true
    const starting = this.#starting ? [this.#starting] : []
    await Promise.all([...this.#all, ...starting].map((supervisor) => supervisor.close(graceMs)))
  }

  get #all(): readonly WorkerSupervisor[] {
    return [...(this.#current ? [this.#current.supervisor] : []), ...this.#retired.keys()]
  }

  /** Null when it is too late. */
  async #newGeneration(config: ProxyConfig): Promise<Generation | null> {
    const owner = await findOwner(config.user, config.group)
    await prepareLogFiles(config, owner)
    if (this.#isStopping) return null
    warnOfFileLimit(config, this.#log)
    const { checkToken, log, recorder = null } = this.#options
    const books = { recorder, traffic: this.#traffic }
    const supervisor = new WorkerSupervisor(
      config,
      checkToken,
      log,
      monotonicNow,
      this.#options,
      books
    )
    return { config, owner, supervisor }
  }

  #retire(supervisor: WorkerSupervisor): void {
    const ended = supervisor.close(RETIRE_GRACE_MS).then(() => {
      this.#retired.delete(supervisor)
    })
    this.#retired.set(supervisor, ended)
  }

  /** Connections that last hold old workers; reloads must not fill the memory with them. */
  async #untilFewRetired(): Promise<void> {
    while (this.#retired.size >= MOST_RETIRED && !this.#isStopping) {
      this.#log.info('waiting for workers of earlier configurations to end')
      await Promise.race(this.#retired.values())
    }
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

/** Whom the log files of the workers belong to; null when we may not choose. */
async function findOwner(user: string | null, group: string | null): Promise<Owner | null> {
  if (user === null || !isRoot()) return null
  const found = await findUser(user)
  const gid = group === null ? found?.gid : await findGroup(group)
  if (!found || gid === undefined || gid === null) {
    throw new TshaError('TSHA_E_WORKER', `user ${user} or group ${group ?? ''} does not exist`)
  }
  return { uid: found.uid, gid }
}

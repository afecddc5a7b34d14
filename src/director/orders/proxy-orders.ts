import type { Command, CommandResult, ProxyState } from '../../admin/model.js'
import { TshaError } from '../../errors.js'
import { done, refused } from './command-results.js'
import { departure, type LeavingElections } from './departure.js'
import { outcomeWithoutProxy } from './router-lines.js'

/** How long requests that run may take when the proxy is stopped. */
const GRACE_MS = 10_000

export const NO_PROXY = refused('TSHA_E_CONFLICT', 'this director has no proxy')

/** The workers, as orders stop and start them. */
export interface OrderedProxy {
  readonly state: ProxyState
  start(): Promise<void>
  stop(graceMs: number): Promise<void>
  closeKept(isOn: boolean): void
}

/** What orders for the proxy need of the director. */
export interface ProxyOrdersPorts {
  /** Null without a proxy. A reload replaces it, but not while an order is carried out. */
  readonly supervisor: OrderedProxy | null
  readonly workers: number
  /** Null without virtual routers. */
  readonly elections: LeavingElections | null
  /** Makes the log files that workers write to. */
  prepareLogs(): Promise<void>
  /** As long as it is stopped the service check counts as failed. */
  setServiceStopped(isStopped: boolean): void
  /** Has the service check run now. */
  checkServiceNow(): void
  /** What `systemctl status` shows. */
  tellStatus(status: string): void
  /** Milliseconds of CLOCK_MONOTONIC. */
  now(): number
}

/** Orders for the proxy as a whole, as `systemctl stop nginx` and `start` were. */
export class ProxyOrders {
  readonly #ports: ProxyOrdersPorts
  #stopping: Promise<CommandResult> | null = null
  #starting: Promise<CommandResult> | null = null

  constructor(ports: ProxyOrdersPorts) {
    this.#ports = ports
  }

  /** A stop or a start goes on; a stop that hands over first does, too. */
  get isChanging(): boolean {
    return this.#stopping !== null || this.#starting !== null
  }

  async proxy({ state }: Extract<Command, { action: 'proxy' }>): Promise<CommandResult> {
    const { supervisor } = this.#ports
    if (supervisor === null) return NO_PROXY
    return state === 'stop' ? this.#stop(supervisor) : this.#start(supervisor)
  }

  async #stop(supervisor: OrderedProxy): Promise<CommandResult> {
    if (this.#starting)
      return refused('TSHA_E_CONFLICT', 'the proxy is being started; stop it then')
    if (this.#stopping) return this.#stopping
    if (supervisor.state !== 'running') return done(['the proxy was stopped already'])
    this.#stopping = this.#handOverAndStop(supervisor)
    try {
      return await this.#stopping
    } finally {
      this.#stopping = null
    }
  }

  async #start(supervisor: OrderedProxy): Promise<CommandResult> {
    if (this.#stopping)
      return refused('TSHA_E_CONFLICT', 'the proxy is being stopped; start it then')
    if (this.#starting) return this.#starting
    if (supervisor.state === 'running') return done(['the proxy was running already'])
    this.#starting = this.#startWorkers(supervisor)
    try {
      return await this.#starting
    } finally {
      this.#starting = null
    }
  }

  async #handOverAndStop(supervisor: OrderedProxy): Promise<CommandResult> {
    const { elections } = this.#ports
    const lines = elections === null ? [] : await this.#handOver(supervisor, elections)
    const begunAt = this.#ports.now()
    await supervisor.stop(GRACE_MS)
    this.#ports.tellStatus('running; an administrator has stopped the proxy')
    this.#ports.checkServiceNow()
    const tookMs = this.#ports.now() - begunAt
    const isCut = tookMs >= GRACE_MS
    return done([
      ...lines,
      'the proxy is stopped until start or a restart of tsha: connections are refused' +
        (isCut ? `; what ran longer than ${GRACE_MS / 1000} s was cut` : '')
    ])
  }

  /** First the partner, then the listeners: no client meets a closed port where there is another. */
  async #handOver(
    supervisor: OrderedProxy,
    elections: LeavingElections
  ): Promise<readonly string[]> {
    const masters = elections.routers.filter(({ state }) => state.name === 'master')
    const names = masters.map(({ name }) => name)
    if (names.length > 0) supervisor.closeKept(true)
    const outcomes = await departure(names, elections, () => {
      this.#ports.setServiceStopped(true)
    })
    return elections.routers.flatMap((router) => {
      const outcome = outcomes.get(router.name)
      return outcome ? [outcomeWithoutProxy(router, outcome, this.#ports.now())] : []
    })
  }

  async #startWorkers(supervisor: OrderedProxy): Promise<CommandResult> {
    const { workers, elections } = this.#ports
    try {
      await this.#ports.prepareLogs()
      await supervisor.start()
    } catch (error) {
      if (!(error instanceof TshaError)) throw error
      return refused('TSHA_E_CONFLICT', `the proxy stays stopped: ${error.message} [${error.code}]`)
    }
    if (supervisor.state !== 'running') {
      return refused('TSHA_E_CONFLICT', 'the proxy stays stopped: the director is stopping')
    }
    this.#ports.tellStatus('running')
    this.#ports.setServiceStopped(false)
    this.#ports.checkServiceNow()
    const listen = workers === 1 ? '1 worker listens' : `${workers} workers listen`
    return done([
      `the proxy runs: ${listen}`,
      ...(elections === null ? [] : ['addresses come back as priorities and preemption have it'])
    ])
  }
}

import type { Command, CommandResult } from '../../admin/model.js'
import { messageOf } from '../../errors.js'
import { checkCommand } from './command-check.js'
import { done, refused } from './command-results.js'
import type { Log } from '../log.js'
import type { FlightRecorder } from '../recording/flight-recorder.js'
import type { PeerOrders } from './peer-orders.js'
import { NO_PROXY, type ProxyOrders } from './proxy-orders.js'
import type { RouterOrders } from './router-orders.js'
import type { Replacement } from '../workers/worker-supervisor.js'

/** A replacement of the workers waits for long requests; its answer does not. */
const REPLACEMENT_WAIT_MS = 5000
/** Of who asked, no more than this is written down. */
const MAX_BY = 200

/** What commands are carried out with. */
export interface CommandPorts {
  readonly log: Log
  readonly recorder?: FlightRecorder
  /** Why nothing can be done at the moment; null when something can. */
  obstacle(): string | null
  /** Null without virtual routers. */
  readonly routers: RouterOrders | null
  /** Null without a proxy. */
  readonly peers: PeerOrders | null
  readonly proxy: ProxyOrders
  reload(): Promise<CommandResult>
  /** False when the log files are still being reopened. */
  reopenLogs(): Promise<boolean>
  replaceWorkers(): Promise<Replacement>
}

/** Carries out what administrators order: checked again, logged with who asked, answered in words. */
export class Commands {
  readonly #ports: CommandPorts

  constructor(ports: CommandPorts) {
    this.#ports = ports
  }

  /** The proxy is being stopped or started by an order. */
  get isProxyChanging(): boolean {
    return this.#ports.proxy.isChanging
  }

  /**
   * Carries one command out. The answer waits for the outcome, for a bounded time; it never rejects.
   *
   * @param value a `Command`, whatever was checked before
   * @param by who asked, such as `uid 0 on the socket`
   */
  async perform(value: unknown, by: string): Promise<CommandResult> {
    const who = by.slice(0, MAX_BY)
    const checked = checkCommand(value)
    if (!checked.ok)
      return this.#answer({ by: who }, refused('TSHA_E_COMMAND', ...checked.problems))
    const { command } = checked
    this.#ports.recorder?.note('command', null, { ...command, by: who })
    this.#ports.log.info({ by: who, command }, 'order received')
    const facts = { by: who, action: command.action }
    try {
      return this.#answer(facts, await this.#carryOut(command))
    } catch (error) {
      this.#ports.log.error(error, 'an order failed')
      return this.#answer(facts, refused('TSHA_E_CONFLICT', `it failed: ${messageOf(error)}`))
    }
  }

  #answer(facts: object, result: CommandResult): CommandResult {
    const { log } = this.#ports
    if (result.ok) log.info({ ...facts, lines: result.lines }, 'order carried out')
    else log.warn({ ...facts, code: result.code, lines: result.lines }, 'order refused')
    return result
  }

  async #carryOut(command: Command): Promise<CommandResult> {
    const { routers, peers, proxy } = this.#ports
    const why = this.#ports.obstacle()
    if (why !== null) return refused('TSHA_E_CONFLICT', why)
    switch (command.action) {
      case 'reload':
        return this.#ports.reload()
      case 'step-down':
        return routers?.stepDown(command) ?? NO_ROUTERS
      case 'resume':
        return routers?.resume(command) ?? NO_ROUTERS
      case 'priority':
        return routers?.priority(command) ?? NO_ROUTERS
      case 'peer':
        return peers?.peer(command) ?? NO_PROXY
      case 'proxy':
        return proxy.proxy(command)
      case 'reopen-logs':
        return peers ? this.#reopenLogs() : NO_PROXY
      case 'replace-workers':
        return peers ? this.#replaceWorkers() : NO_PROXY
    }
  }

  async #reopenLogs(): Promise<CommandResult> {
    if (await this.#ports.reopenLogs()) return done(['the log files are reopened'])
    return refused('TSHA_E_CONFLICT', 'the log files are still being reopened')
  }

  async #replaceWorkers(): Promise<CommandResult> {
    const replacement = this.#ports.replaceWorkers()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => {
        resolve('late')
      }, REPLACEMENT_WAIT_MS)
    })
    const outcome = await Promise.race([replacement, late])
    clearTimeout(timer)
    if (outcome === 'late') {
      replacement.catch((error: unknown) => {
        this.#ports.log.error(`cannot replace the workers: ${messageOf(error)}`)
      })
    }
    switch (outcome) {
      case 'done':
        return done(['all workers are new'])
      case 'late':
        return done(['the workers are being replaced; the log tells when all are new'])
      case 'busy':
        return refused('TSHA_E_CONFLICT', 'the workers are being replaced already')
      case 'not-running':
        return refused('TSHA_E_CONFLICT', 'the proxy does not run: there are no workers to replace')
      case 'failed':
        return refused('TSHA_E_CONFLICT', 'a new worker did not start: the workers that serve stay')
    }
  }
}

const NO_ROUTERS = refused('TSHA_E_CONFLICT', 'this director has no virtual routers')

import type { Clock } from './clock.js'
import type { Client, ClientConnection, ClientHost } from './downstream/client.js'
import { Exchange, type ExchangeHost } from './exchange.js'
import type { IdleList } from './idle-list.js'
import type { RequestHead } from './http1/head.js'
import type { SiteTable } from './site.js'
import type { Traffic } from './traffic.js'
import type { Transaction } from './variables.js'

/** What an engine has done since its start; all count up but the three gauges at the top. */
export interface EngineCounters {
  clientConnections: number
  upstreamConnections: number
  /** Requests that wait in a queue for a server now. */
  queuedRequests: number
  accepted: number
  /** Of those, the ones beyond `max_connections_per_client`. */
  refused: number
  requests: number
  checks: number
  /** Answers by first digit of their status: index 1 to 5. */
  readonly responses: Uint32Array
  bytesReceived: number
  bytesSent: number
  /** Lines that no log took because its disk was full or too slow. */
  logLinesDropped: number
}

/** What clients need of the engine, beside what their requests need. */
export interface ClientEngine extends ExchangeHost {
  readonly isDraining: boolean
  readonly drainSilenceMs: number
  /** The Date field's value for now. */
  date(): string
  /** A client's connection is closed. */
  forget(client: ClientConnection): void
}

/** What the clients of one listen address ask of the engine. */
export class EngineClientHost implements ClientHost {
  readonly #engine: ClientEngine
  readonly #table: SiteTable
  readonly #idle: IdleList<ClientConnection>
  readonly #clock: Clock
  readonly #counters: EngineCounters
  readonly #traffic: Traffic

  constructor(
    engine: ClientEngine,
    table: SiteTable,
    idle: IdleList<ClientConnection>,
    clock: Clock,
    counters: EngineCounters,
    traffic: Traffic
  ) {
    this.#engine = engine
    this.#table = table
    this.#idle = idle
    this.#clock = clock
    this.#counters = counters
    this.#traffic = traffic
  }

  get isDraining(): boolean {
    return this.#engine.isDraining
  }

  get drainSilenceMs(): number {
    return this.#engine.drainSilenceMs
  }

  now(): number {
    return this.#clock.now()
  }

  date(): string {
    return this.#engine.date()
  }

  open(client: Client, transaction: Transaction, head: RequestHead): Exchange {
    const site = this.#table.hosts.find(head.host)
    return new Exchange(client, transaction, head, site, this.#engine)
  }

  settle(transaction: Transaction, handler: Exchange | null): void {
    transaction.endedAt = this.#clock.now()
    transaction.endedAtEpochMs = this.#clock.wall()
    const counters = this.#counters
    if (handler?.isCheck === true) {
      counters.checks++
      return
    }
    counters.requests++
    counters.bytesReceived += transaction.requestLength
    counters.bytesSent += transaction.bytesSent
    const digit = Math.min(5, Math.floor(transaction.status / 100))
    counters.responses[digit] = (counters.responses[digit] ?? 0) + 1
    this.#traffic.settle(this.#table.index, transaction)
    const loggers = handler?.loggers ?? this.#table.fallback.loggers
    for (const logger of loggers) logger.sink.append(logger.line(transaction))
  }

  report(message: string, transaction: Transaction | null, client: Client): void {
    const context = transaction === null ? { client: client.facts } : { transaction }
    this.#engine.errorLog.write('info', message, context)
  }

  setIdle(client: ClientConnection, isIdle: boolean): void {
    if (isIdle) this.#idle.add(client)
    else this.#idle.delete(client)
  }

  gone(client: ClientConnection): void {
    this.#traffic.closed(this.#table.index)
    this.#engine.forget(client)
  }
}

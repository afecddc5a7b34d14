import { join } from 'node:path'
import { EventLog } from './event-log.js'
import type { Host } from './host.js'
import type { LabProcess } from './lab-process.js'
import { summarize, type LoadSummary, type RequestResult } from './load-result.js'

const CLIENT_PROGRAM = join(import.meta.dirname, 'steady-client.js')
const RESULT_LIMIT = 1_000_000
const FIRST_ANSWER_TIMEOUT_MS = 10_000

/** How a steady client asks. */
export interface LoadOptions {
  readonly url: string
  /** Requests per second. */
  readonly rate: number
  /** How long the client waits for an answer. */
  readonly timeoutMs?: number
  /** Kept connections; 0, the default, makes a fresh one for every request. */
  readonly keepAlive?: number
}

/** A client that asks without pause until it is stopped, and remembers every answer. */
export class Load {
  readonly results = new EventLog<RequestResult>('answers to the client', RESULT_LIMIT, (result) =>
    JSON.stringify(result)
  )
  readonly #process: LabProcess
  readonly #timeoutMs: number

  private constructor(process: LabProcess, timeoutMs: number) {
    this.#process = process
    this.#timeoutMs = timeoutMs
    readResults(process, this.results)
  }

  /** Resolves after the first result, good or bad. */
  static async start(host: Host, options: LoadOptions): Promise<Load> {
    const { url, rate, timeoutMs = 1000, keepAlive = 0 } = options
    const args = [CLIENT_PROGRAM, url, String(rate), String(timeoutMs), String(keepAlive)]
    const load = new Load(await host.spawn(process.execPath, args), timeoutMs)
    await load.results.waitFor(() => true, 'first result', FIRST_ANSWER_TIMEOUT_MS)
    return load
  }

  /** What requests that were started in a time were like; times in milliseconds since the epoch. */
  summary(from = -Infinity, to = Infinity): LoadSummary {
    return summarize(this.results.entries.filter(({ at }) => at >= from && at < to))
  }

  /** A good answer, with this body if given, to a request that was started at `from` or later. */
  async waitForAnswer(from: number, timeoutMs: number, body?: string): Promise<RequestResult> {
    return this.results.waitFor(
      (result) => result.ok && result.at >= from && (body === undefined || result.body === body),
      `good answer${body === undefined ? '' : ` "${body}"`}`,
      timeoutMs
    )
  }

  /** Starts no more requests, waits for the answers that are under way, and sums up. */
  async stop(): Promise<LoadSummary> {
    this.#process.closeInput()
    await this.#process.outcome(this.#timeoutMs + 2000)
    return this.summary()
  }
}

/** How requests are made one after the other. */
export interface TurnOptions {
  readonly keepAlive?: boolean
  readonly timeoutMs?: number
  /** Between an answer and the next request; default 0. */
  readonly pauseMs?: number
}

/** Makes requests one after the other and returns their results, in order. */
export async function requestInTurn(
  host: Host,
  url: string,
  count: number,
  options: TurnOptions = {}
): Promise<readonly RequestResult[]> {
  const { keepAlive = false, timeoutMs = 2000, pauseMs = 0 } = options
  const results = new EventLog<RequestResult>('answers to the client', count)
  const numbers = [0, timeoutMs, keepAlive ? 1 : 0, count, pauseMs]
  const args = [CLIENT_PROGRAM, url, ...numbers.map(String)]
  const client = await host.spawn(process.execPath, args, { input: '' })
  readResults(client, results)
  const outcome = await client.outcome(count * (timeoutMs + pauseMs) + 5000)
  if (outcome.code !== 0) throw new Error(`the client failed: ${outcome.stderr}`)
  return results.entries
}

function readResults(client: LabProcess, results: EventLog<RequestResult>): void {
  client.lines.follow((line) => {
    if (line.stream === 'stdout') results.push(JSON.parse(line.text) as RequestResult)
  })
}

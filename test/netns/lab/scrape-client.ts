import { Agent, get, type IncomingMessage } from 'node:http'

/**
 * A monitoring system that asks too often, a program of its own: `node scrape-client.js SOCKET RATE`.
 *
 * Until its standard input closes it asks for each of `/metrics` and `/v1/status` RATE times a second
 * on kept connections, reads one stream of events with its statuses, and leaves another one unread. Then it prints
 * what became of that as one line of JSON.
 */

/** Requests for one path that may be under way; those above it are not made, and counted. */
const OPEN_LIMIT = 100
const TIMEOUT_MS = 5000
const TICK_MS = 5

/** What became of the requests for one path. */
export interface Scraped {
  /** That were due by the rate. */
  readonly due: number
  /** Whole answers with status 200. */
  readonly answered: number
  /** Answers with another status. */
  readonly refused: number
  /** Errors, and no answer within 5 s. */
  readonly failed: number
  /** Not made, for too many were under way. */
  readonly skipped: number
  readonly p50Ms: number
  readonly maxMs: number
}

export interface ScrapeResult {
  readonly seconds: number
  readonly metrics: Scraped
  readonly status: Scraped
  /** Statuses in the stream that was read. */
  readonly streamed: number
}

const [socketPath = '', rateText = '0'] = process.argv.slice(2)
const rate = Number(rateText)
const agent = new Agent({ keepAlive: true, maxSockets: 2 * OPEN_LIMIT })

class Path {
  readonly #path: string
  readonly #end: RegExp
  readonly #times: number[] = []
  #open = 0
  #due = 0
  #refused = 0
  #failed = 0
  #skipped = 0

  /** @param end of a whole answer */
  constructor(path: string, end: RegExp) {
    this.#path = path
    this.#end = end
  }

  get isIdle(): boolean {
    return this.#open === 0
  }

  /** Makes the requests that are due. */
  askUpTo(due: number): void {
    for (; this.#due < due; this.#due += 1) {
      if (this.#open < OPEN_LIMIT) this.#ask()
      else this.#skipped += 1
    }
  }

  get result(): Scraped {
    const sorted = [...this.#times].sort((a, b) => a - b)
    return {
      due: this.#due,
      answered: sorted.length,
      refused: this.#refused,
      failed: this.#failed,
      skipped: this.#skipped,
      p50Ms: sorted[Math.floor(sorted.length / 2)] ?? 0,
      maxMs: sorted.at(-1) ?? 0
    }
  }

  #ask(): void {
    const startedAt = performance.now()
    let isSettled = false
    this.#open += 1
    const settle = (count: () => void): void => {
      if (isSettled) return
      isSettled = true
      this.#open -= 1
      count()
    }
    const fail = (): void => {
      settle(() => (this.#failed += 1))
    }
    const request = get({ socketPath, agent, path: this.#path, headers: HOST }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      response.on('error', fail)
      response.on('end', () => {
        settle(() => {
          if (response.statusCode !== 200) this.#refused += 1
          else if (this.#end.test(text)) this.#times.push(performance.now() - startedAt)
          else this.#failed += 1
        })
      })
    })
    request.on('error', fail)
    request.setTimeout(TIMEOUT_MS, () => request.destroy())
  }
}

const HOST = { host: 'tsha' }

/** A stream of events with the status once a second. */
function openStream(use: (response: IncomingMessage) => void): () => void {
  const headers = { ...HOST, accept: 'text/event-stream' }
  const request = get({ socketPath, agent: false, path: '/v1/events?status=1', headers }, use)
  request.on('error', () => undefined)
  return () => request.destroy()
}

const metrics = new Path('/metrics', /\n$/)
const status = new Path('/v1/status', /\}$/)
let streamed = 0
const closeRead = openStream((response) => {
  response.on('error', () => undefined)
  response.setEncoding('utf8').on('data', (piece: string) => {
    streamed += piece.split('event: status').length - 1
  })
})
const closeUnread = openStream((response) => {
  response.on('error', () => undefined)
  response.pause()
})

const begunAt = performance.now()
const ticking = setInterval(() => {
  const due = Math.floor(((performance.now() - begunAt) * rate) / 1000)
  metrics.askUpTo(due)
  status.askUpTo(due)
}, TICK_MS)

process.stdin.resume()
process.stdin.once('end', () => {
  clearInterval(ticking)
  const seconds = (performance.now() - begunAt) / 1000
  // Each of them ends, by an answer or by its timeout.
  const waiting = setInterval(() => {
    if (!metrics.isIdle || !status.isIdle) return
    clearInterval(waiting)
    closeRead()
    closeUnread()
    agent.destroy()
    const result: ScrapeResult = {
      seconds,
      metrics: metrics.result,
      status: status.result,
      streamed
    }
    process.stdout.write(`${JSON.stringify(result)}\n`)
  }, TICK_MS)
})

import { Agent, get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { LOOPBACK } from '../../bench/sockets.js'

const CONNECTIONS = 6
const PAUSE_MS = 200
const LIMIT_MS = 30_000

/**
 * Asks the proxy all the time for what it answers without an upstream server, on connections that stay:
 * how long that takes is how long the loop of a worker stood still, and the machine.
 */
export class Probes {
  /** Requests that were answered with 404. */
  answered = 0
  /** Those that were not. */
  failed = 0
  #latencies: number[] = []
  #isOver = false
  readonly #port: number
  readonly #loops: readonly Promise<void>[]

  constructor(port: number) {
    this.#port = port
    this.#loops = Array.from({ length: CONNECTIONS }, () => this.#loop())
  }

  /** The longest and the 99th percentile since the last call, in milliseconds. */
  take(): { readonly p99Ms: number; readonly longestMs: number } {
    const sorted = this.#latencies.sort((a, b) => a - b)
    this.#latencies = []
    return { p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0, longestMs: sorted.at(-1) ?? 0 }
  }

  /** Ends them; resolves when the last was answered. */
  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#loops)
  }

  async #loop(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (!this.#isOver) {
      const begin = performance.now()
      const status = await this.#ask(agent)
      if (status === 404) this.answered++
      else this.failed++
      this.#latencies.push(performance.now() - begin)
      await sleep(PAUSE_MS)
    }
    agent.destroy()
  }

  #ask(agent: Agent): Promise<number | null> {
    return new Promise((resolve) => {
      const target = {
        host: LOOPBACK,
        port: this.#port,
        path: '/nowhere',
        agent,
        timeout: LIMIT_MS
      }
      const request = get(target, (response) => {
        response.resume()
        response.on('end', () => {
          resolve(response.statusCode ?? null)
        })
      })
      request.on('timeout', () => request.destroy())
      request.on('error', () => {
        resolve(null)
      })
    })
  }
}

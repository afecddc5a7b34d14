import { join } from 'node:path'
import type { LabProcess } from './lab-process.js'
import type { ScrapeResult, Scraped } from './scrape-client.js'
import type { TshaDirector } from './tsha.js'

const PROGRAM = join(import.meta.dirname, 'scrape-client.js')
const SOCKET = '/run/tsha/admin.sock'
/** Longer than any request takes to end. */
const END_TIMEOUT_MS = 15_000

/** A monitoring system beside a director that asks far too often, with two streams of events. */
export class Scraper {
  readonly #process: LabProcess

  private constructor(process: LabProcess) {
    this.#process = process
  }

  /** @param rate of requests each second for each of the metrics and the status */
  static async start(director: TshaDirector, rate: number): Promise<Scraper> {
    await director.waitForAdmin()
    const args = [PROGRAM, SOCKET, String(rate)]
    return new Scraper(await director.host.spawn(process.execPath, args))
  }

  /** Asks no more, and resolves with what became of everything that was asked. */
  async stop(): Promise<ScrapeResult> {
    this.#process.closeInput()
    const { stdout, stderr, code } = await this.#process.outcome(END_TIMEOUT_MS)
    if (code !== 0) throw new Error(`the scraper ended with ${String(code)}: ${stderr}`)
    return JSON.parse(stdout) as ScrapeResult
  }
}

/** `/metrics 97.2/s of 100.0 (median 8 ms, at most 210 ms; 0 refused, 0 failed, 52 not asked)`. */
export function describeScraped(path: string, scraped: Scraped, seconds: number): string {
  const { due, answered, refused, failed, skipped, p50Ms, maxMs } = scraped
  const times = `median ${p50Ms.toFixed(0)} ms, at most ${maxMs.toFixed(0)} ms`
  const others = `${refused} refused, ${failed} failed, ${skipped} not asked`
  return `${path} ${(answered / seconds).toFixed(1)}/s of ${(due / seconds).toFixed(1)} (${times}; ${others})`
}

import type { Traffic } from './traffic.js'
import type { TrafficReport } from './traffic-cells.js'

/** Takes a report to the director; `onTaken` is called once the kernel has it, or it is lost. */
export type TellTraffic = (report: TrafficReport, onTaken: () => void) => void

const INTERVAL_MS = 1000
/** How long the end of a worker waits for a director that takes nothing. */
const LAST_LIMIT_MS = 500

/** Tells what a worker counts: at most once a second, only news, and the rest before it ends. */
export class TrafficReporter {
  readonly #traffic: Traffic
  readonly #tell: TellTraffic
  #toldAt = -Infinity
  /** A report that the director has not taken yet: until then what is new is collected. */
  #isUnderWay = false

  constructor(traffic: Traffic, tell: TellTraffic) {
    this.#traffic = traffic
    this.#tell = tell
  }

  /** Whether a report is due. */
  isDue(now: number): boolean {
    return !this.#isUnderWay && now - this.#toldAt >= INTERVAL_MS
  }

  /** Tells what is new, if anything is. */
  tell(now: number): void {
    const report = this.#traffic.report()
    if (report === null) return
    this.#toldAt = now
    this.#isUnderWay = true
    this.#tell(report, () => {
      this.#isUnderWay = false
    })
  }

  /** Tells the rest. Resolves when it has left, or when the director takes nothing for too long. */
  async tellLast(): Promise<void> {
    const report = this.#traffic.report()
    if (report === null) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LAST_LIMIT_MS)
      this.#tell(report, () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}

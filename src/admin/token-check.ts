import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { HttpProblem } from './problem.js'
import type { Token } from './token.js'

/** A wrong token is answered this late: guessing is slow, and the right one never waits. */
const DELAY_MS = 1000
/** So many wait for their refusal at once; the others get it without. */
const MAX_WAITING = 32
const TOLD_EVERY_MS = 60_000

/** Judges the tokens of requests, and tells about wrong ones at most once a minute. */
export class TokenCheck {
  readonly #token: Token
  readonly #warn: (message: string) => void
  #waiting = 0
  #toldAt = -Infinity
  #untold = 0

  constructor(token: Token, warn: (message: string) => void) {
    this.#token = token
    this.#warn = warn
  }

  /**
   * @param authorization the header
   * @throws {HttpProblem} after a second, when it does not have the token
   */
  async check(authorization: string | undefined, from: string): Promise<void> {
    if (this.#token.isIn(authorization)) return
    this.#tell(from)
    if (this.#waiting < MAX_WAITING) {
      this.#waiting++
      await setTimeout(DELAY_MS)
      this.#waiting--
    }
    const detail =
      authorization === undefined
        ? 'send the header "Authorization: Bearer TOKEN" with the token of the token file'
        : 'the token is not that of the token file'
    throw new HttpProblem('TSHA_E_TOKEN', detail, {
      headers: { 'WWW-Authenticate': 'Bearer realm="tsha"' }
    })
  }

  #tell(from: string): void {
    this.#untold++
    const now = performance.now()
    if (now - this.#toldAt < TOLD_EVERY_MS) return
    const times = this.#untold === 1 ? '' : `, ${this.#untold} since this was last said`
    this.#warn(`a request without a valid token from ${from}${times}`)
    this.#toldAt = now
    this.#untold = 0
  }
}

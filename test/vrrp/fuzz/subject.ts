import type { State, VirtualRouter } from '../../../src/vrrp/model.js'
import { Speaker } from '../../../src/vrrp/speaker.js'
import { CAPTURED_AT } from '../golden-routers.js'

/** A speaker that is fed by the fuzzer, on a clock that the fuzzer moves. */
export class Subject {
  readonly #speaker: Speaker
  #now = 0
  #due: { at: number; callback: () => void } | null = null
  /** What the speaker made of the last packet. */
  outcome = ''

  constructor(router: VirtualRouter) {
    this.#speaker = new Speaker(
      router,
      { priority: 100, serviceUp: true },
      {
        clock: {
          now: () => this.#now,
          wallTime: () => CAPTURED_AT,
          after: (delay, callback) => {
            const due = { at: this.#now + delay, callback }
            this.#due = due
            return () => {
              if (this.#due === due) this.#due = null
            }
          },
          afterPoll: (callback) => {
            callback()
          }
        },
        socket: { send: () => undefined, flush: () => Promise.resolve(), close: () => undefined },
        addresses: { add: () => Promise.resolve(), remove: () => Promise.resolve() },
        announcer: { announce: () => undefined, cancel: () => undefined },
        observer: {
          stepped: () => undefined,
          conditionsChanged: () => undefined,
          discarded: (reason) => {
            this.outcome = reason
          },
          accepted: () => {
            this.outcome = 'accepted'
          }
        }
      }
    )
    this.#speaker.start(null)
  }

  get state(): State {
    return this.#speaker.state
  }

  receive(packet: Uint8Array): void {
    this.#speaker.receive(packet)
  }

  /** Lets time pass, so that packets meet a backup as well as a master. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds
    while (this.#due && this.#due.at <= end) {
      const { at, callback } = this.#due
      this.#due = null
      this.#now = Math.max(this.#now, at)
      callback()
    }
    this.#now = end
  }
}

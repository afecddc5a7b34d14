/** @import { AdminEvent, Status } from '../model.js' */
/** @import { LinkState } from './link-state.js' */
/** @import { StreamEvent } from './stream-text.js' */
import { openStream, readHistory, readStatus, Refusal } from './api.js'
import { retryAfter } from './link-state.js'
import { StreamText } from './stream-text.js'

/** A stream that is silent for so long is given up, and another one is asked for. */
const SILENT_MS = 6000

/**
 * Who is told what comes.
 *
 * @typedef {{
 *   readonly status: (status: Status) => void,
 *   readonly history: (events: readonly AdminEvent[]) => void,
 *   readonly events: (events: readonly AdminEvent[], missed: number) => void,
 *   readonly tokenNeeded: (message: string) => void,
 *   readonly changed: () => void
 * }} Listener
 */

/** Keeps the page connected to its director: reads the stream, and opens it again when it breaks. */
export class Connection {
  #listener
  /** @type {LinkState} */
  #state = { heardAt: null, problem: null, retryAt: null }
  #lastId = 0
  /** The life of the director that the ids belong to. @type {string | null} */
  #life = null
  #failures = 0
  #abort = new AbortController()
  /** @type {(() => void) | null} */
  #hurry = null
  #isRunning = false

  /** @param {Listener} listener */
  constructor(listener) {
    this.#listener = listener
  }

  get state() {
    return this.#state
  }

  /** Connects, and stays connected; does nothing while it does. */
  start() {
    if (this.#isRunning) return
    this.#isRunning = true
    void this.#run()
  }

  /** Tries again at once, if it waits. */
  hurry() {
    this.#hurry?.()
  }

  /** Forgets everything; `start` begins anew. */
  stop() {
    this.#isRunning = false
    this.#abort.abort()
    this.#hurry?.()
    this.#life = null
    this.#failures = 0
    this.#change({ heardAt: null, problem: null, retryAt: null })
  }

  async #run() {
    const abort = new AbortController()
    this.#abort = abort
    const isOver = () => abort.signal.aborted
    while (!isOver()) {
      try {
        await this.#session(abort.signal)
      } catch (error) {
        if (isOver()) return
        if (error instanceof Refusal && error.needsToken) {
          this.stop()
          this.#listener.tokenNeeded(error.message)
          return
        }
        this.#failures += 1
        await this.#pause(error)
      }
    }
  }

  /** @param {unknown} error */
  async #pause(error) {
    const waitMs = retryAfter(this.#failures, Math.random())
    this.#change({ ...this.#state, problem: problemOf(error), retryAt: performance.now() + waitMs })
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs)
      this.#hurry = () => {
        clearTimeout(timer)
        resolve(undefined)
      }
    })
    this.#hurry = null
    this.#change({ ...this.#state, retryAt: null })
  }

  /** @param {AbortSignal} outer @returns {Promise<never>} */
  async #session(outer) {
    const silence = new AbortController()
    const signal = AbortSignal.any([outer, silence.signal])
    const status = await readStatus(signal)
    if (this.#life !== status.started_at) {
      const { events, last_id } = await readHistory(signal)
      this.#lastId = last_id
      this.#life = status.started_at
      this.#listener.history(events)
    }
    this.#takeStatus(status)
    const stream = await openStream(this.#lastId, signal)
    const reader = stream.getReader()
    const decoder = new TextDecoder()
    const text = new StreamText()
    for (;;) {
      const timer = setTimeout(() => {
        silence.abort(new Refusal('the director is silent', { status: 0, lines: [] }))
      }, SILENT_MS)
      const { value, done } = await reader.read().finally(() => {
        clearTimeout(timer)
      })
      if (done) throw new Refusal('the director closed the connection', { status: 0, lines: [] })
      this.#take(text.read(decoder.decode(value, { stream: true })))
    }
  }

  /** @param {readonly StreamEvent[]} messages */
  #take(messages) {
    /** @type {AdminEvent[]} */
    const events = []
    let missed = 0
    for (const { event, data, id } of messages) {
      /** @type {unknown} */
      const value = JSON.parse(data)
      if (event === 'status') this.#takeStatus(/** @type {Status} */ (value))
      else if (event === 'log') {
        events.push(/** @type {AdminEvent} */ (value))
        if (id !== null) this.#lastId = Number(id)
      } else if (event === 'hello') missed = /** @type {{ missed: number }} */ (value).missed
      else if (event === 'problem') {
        const { title, detail } = /** @type {{ title: string, detail: string }} */ (value)
        this.#change({ ...this.#state, problem: `${title}: ${detail}` })
      }
    }
    if (events.length > 0 || missed > 0) this.#listener.events(events, missed)
  }

  /** @param {Status} status */
  #takeStatus(status) {
    this.#failures = 0
    this.#change({ heardAt: performance.now(), problem: null, retryAt: null })
    this.#listener.status(status)
  }

  /** @param {LinkState} state */
  #change(state) {
    this.#state = state
    this.#listener.changed()
  }
}

/** @param {unknown} error */
function problemOf(error) {
  if (error instanceof Refusal) return error.message
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return 'the director does not answer'
  return error instanceof TypeError ? 'the director cannot be reached' : String(error)
}

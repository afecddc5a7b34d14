import type { DirectorToAdmin } from '../../admin/messages.js'
import type { AdminEvent } from '../../admin/model.js'

const MAX_EVENTS_AT_ONCE = 100
/** Characters of recording lines in one message: what takes well below a millisecond to write as JSON. */
const MAX_CHARACTERS_AT_ONCE = 64 * 1024
/** Recording lines that wait for the admin process; beyond them its copy is given up and begun anew. */
const MAX_CHARACTERS = 4 * 1024 * 1024

/** What the outbox takes from, and tells. */
export interface OutboxPorts {
  /** Kept events with an id above `id`, oldest first, at most `limit`. */
  eventsAfter(id: number, limit: number): readonly AdminEvent[]
  /** The copy of the recording is empty now: what is recorded from here on is its beginning. */
  recordingReset(): void
  /** This much was never taken. Told when it takes again. */
  dropped(what: string): void
}

/** Sends a message and says when the next one may follow; false when it cannot be sent. */
export type Send = (message: DirectorToAdmin, taken: () => void) => boolean

/**
 * What the director pushes to the admin process: batches, one on its way at a time. Events wait in the
 * director's own history; recording lines wait here, up to a bound.
 */
export class AdminOutbox {
  readonly #ports: OutboxPorts
  readonly #send: Send
  #sentId = 0
  #lines: string[] = []
  #characters = 0
  #isOnItsWay = false
  /** Made already, and refused for the moment. */
  #next: DirectorToAdmin | null = null
  #mustReset = true
  /** Recording lines that were given up since the process last took something. */
  #lost = 0

  #emptied: () => void = () => undefined

  constructor(ports: OutboxPorts, send: Send) {
    this.#ports = ports
    this.#send = send
  }

  /** A message is on its way and not taken yet. */
  get isWaiting(): boolean {
    return this.#isOnItsWay
  }

  /** Takes a line of the recording. */
  record(line: string): void {
    if (this.#lost > 0) {
      this.#lost++
      return
    }
    this.#lines.push(line)
    this.#characters += line.length
    if (this.#characters <= MAX_CHARACTERS) return
    this.#lost = this.#lines.length
    this.#lines = []
    this.#characters = 0
    this.#mustReset = true
  }

  /** Sends what there is, unless something is on its way: then it follows that. */
  flush(): void {
    if (this.#isOnItsWay) return
    this.#takesAgain()
    const message = this.#next ?? this.#nextEvents() ?? this.#nextLines()
    if (!message) {
      this.#emptied()
      return
    }
    this.#next = message
    this.#isOnItsWay = this.#send(message, () => {
      this.#isOnItsWay = false
      this.flush()
    })
    if (this.#isOnItsWay) this.#next = null
  }

  /** Sends all there is; resolves when it is taken. */
  async drain(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#emptied = resolve
      this.flush()
    })
  }

  #takesAgain(): void {
    if (this.#lost === 0) return
    this.#ports.dropped(`${this.#lost} lines of the flight recording`)
    this.#lost = 0
    this.#ports.recordingReset()
  }

  #nextEvents(): DirectorToAdmin | null {
    const events = this.#ports.eventsAfter(this.#sentId, MAX_EVENTS_AT_ONCE)
    const [first, last] = [events[0], events.at(-1)]
    if (!first || !last) return null
    const missed = first.id - this.#sentId - 1
    // A process that has just begun has missed nothing: it gets what is kept.
    if (missed > 0 && this.#sentId > 0) this.#ports.dropped(`${missed} events`)
    this.#sentId = last.id
    return { type: 'events', events }
  }

  #nextLines(): DirectorToAdmin | null {
    if (this.#lines.length === 0) return null
    let characters = 0
    let count = 0
    while (count < this.#lines.length && characters < MAX_CHARACTERS_AT_ONCE) {
      characters += this.#lines[count]?.length ?? 0
      count++
    }
    const lines = this.#lines.splice(0, count)
    this.#characters -= characters
    const reset = this.#mustReset
    this.#mustReset = false
    return { type: 'recording', reset, lines }
  }
}

import type { AdminEvent } from './model.js'

/** Most events that are kept; the oldest go first. */
const MAX_EVENTS = 2000

/** Levels of events, the least severe first. */
export const LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const
export type Level = AdminEvent['level']

/** The newest events of the director, oldest first. Pure. */
export class EventHistory {
  readonly #maxEvents: number
  #events: AdminEvent[] = []

  constructor(maxEvents = MAX_EVENTS) {
    this.#maxEvents = maxEvents
  }

  /** Id of the newest event; 0 when there was none. */
  get lastId(): number {
    return this.#events.at(-1)?.id ?? 0
  }

  /** Id of the oldest event that is kept; one past the newest when none is. */
  get firstId(): number {
    return this.#events[0]?.id ?? this.lastId + 1
  }

  /** Takes new events, oldest first; those that are known already are left out. */
  push(events: readonly AdminEvent[]): void {
    for (const event of events) if (event.id > this.lastId) this.#events.push(event)
    const surplus = this.#events.length - this.#maxEvents
    if (surplus > 0) this.#events.splice(0, surplus)
  }

  /**
   * The oldest events with an id above `id`, at most `limit`.
   * @param level the least severe that count
   */
  after(id: number, limit: number, level: Level): AdminEvent[] {
    const found: AdminEvent[] = []
    for (let index = this.#indexAfter(id); index < this.#events.length; index++) {
      const event = this.#events[index]
      if (event && isAtLeast(event.level, level)) found.push(event)
      if (found.length === limit) break
    }
    return found
  }

  /** The newest events, at most `limit`, oldest first. */
  newest(limit: number, level: Level): AdminEvent[] {
    const found: AdminEvent[] = []
    for (let index = this.#events.length - 1; index >= 0 && found.length < limit; index--) {
      const event = this.#events[index]
      if (event && isAtLeast(event.level, level)) found.push(event)
    }
    return found.reverse()
  }

  #indexAfter(id: number): number {
    const index = this.#events.findIndex((event) => event.id > id)
    return index === -1 ? this.#events.length : index
  }
}

/** Whether a level is at least as severe as another. */
export function isAtLeast(level: Level, least: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least)
}

/** What can be in a list: it carries its own place, so that joining and leaving cost next to nothing. */
export interface IdleEntry<T> {
  idlePlace: IdlePlace<T> | null
}

/** A place in a list; each entry has one for life, and is in the list or not. */
export class IdlePlace<T> {
  readonly entry: T
  isTaken = false
  before: IdlePlace<T> | null = null
  behind: IdlePlace<T> | null = null

  constructor(entry: T) {
    this.entry = entry
  }
}

/** Those that wait, the one that waits longest first. Every request joins and leaves once. */
export class IdleList<T extends IdleEntry<T>> {
  #first: IdlePlace<T> | null = null
  #last: IdlePlace<T> | null = null

  /** Adds an entry at the end, unless it is there. */
  add(entry: T): void {
    const place = (entry.idlePlace ??= new IdlePlace(entry))
    if (place.isTaken) return
    place.isTaken = true
    place.before = this.#last
    if (this.#last === null) this.#first = place
    else this.#last.behind = place
    this.#last = place
  }

  /** Takes an entry out, if it is there. */
  delete(entry: T): void {
    const place = entry.idlePlace
    if (place?.isTaken !== true) return
    place.isTaken = false
    const { before, behind } = place
    if (before === null) this.#first = behind
    else before.behind = behind
    if (behind === null) this.#last = before
    else behind.before = before
    place.before = null
    place.behind = null
  }

  /** The entries in order; the one that is told may be taken out meanwhile. */
  *[Symbol.iterator](): Iterator<T> {
    let place = this.#first
    while (place !== null) {
      const { behind } = place
      yield place.entry
      place = behind
    }
  }
}

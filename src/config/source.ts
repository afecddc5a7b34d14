import type { Position, Problem } from '../errors.js'

/** Way to a value inside a configuration: keys and indexes, as in `['listeners', 0, 'address']`. */
export type Path = readonly (string | number)[]

/** Where a value was written, and the word that its author used for it. */
export interface Place {
  /** Of the value. */
  readonly position: Position
  /** Of the key or directive that holds the value. */
  readonly keyPosition: Position
  /** Key or directive name, such as `vrid` in `tsha.yaml` and `virtual_router_id` in `keepalived.conf`. */
  readonly label: string
}

/** The places of all values of one configuration, looked up by path. */
export class Places {
  readonly #places = new Map<string, Place>()
  readonly #root: Place

  /** @param file the file whose first character stands for values that were written nowhere */
  constructor(file: string) {
    const position = { file, line: 1, column: 1 }
    this.#root = { position, keyPosition: position, label: '' }
  }

  /** Notes where the value at `path` was written; a later call for the same path wins. */
  set(path: Path, place: Place): void {
    this.#places.set(JSON.stringify(path), place)
  }

  /** The place of exactly this path, if it was noted. */
  get(path: Path): Place | undefined {
    return this.#places.get(JSON.stringify(path))
  }

  /**
   * The place of `path`, or of the nearest enclosing value that was noted; the label is then the last
   * key of `path`.
   */
  find(path: Path): Place {
    const exact = this.get(path)
    if (exact) return exact
    const label = path.findLast((part) => typeof part === 'string') ?? ''
    for (let length = path.length - 1; length > 0; length--) {
      const around = this.get(path.slice(0, length))
      if (around) return { ...around, position: around.keyPosition, label }
    }
    return { ...this.#root, label }
  }

  /** The files that any value was written in, in the order of their first one. */
  files(): readonly string[] {
    return [...new Set([...this.#places.values()].map(({ position }) => position.file))]
  }

  /** Takes over every place that `other` has noted. */
  addAll(other: Places): void {
    for (const [key, place] of other.#places) this.#places.set(key, place)
  }
}

/**
 * What a front end makes of a file: a value in the shape of `tsha.yaml` that is not validated yet,
 * and what it found on the way.
 */
export interface Source {
  readonly value: Readonly<Record<string, unknown>>
  readonly places: Places
  readonly problems: readonly Problem[]
  /** Directives without a meaning for tsha, once each, in order. */
  readonly ignored: readonly string[]
  readonly notes: readonly string[]
  /**
   * True for a file that was written for tsha, where what cannot work is refused; an old file that
   * its daemon accepts gets a note instead.
   */
  readonly isStrict: boolean
}

/** Turns offsets in a text into lines and columns; columns count characters, not UTF-16 units. */
export class TextPositions {
  readonly #file: string
  readonly #text: string
  readonly #lineStarts: readonly number[]

  constructor(file: string, text: string) {
    this.#file = file
    this.#text = text
    const starts = [0]
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1))
      starts.push(at + 1)
    this.#lineStarts = starts
  }

  /** The position of the character at `offset`, or of the end of the text when it is past it. */
  at(offset: number): Position {
    let low = 0
    let high = this.#lineStarts.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    const before = this.#text.slice(this.#lineStarts[low] ?? 0, offset)
    return { file: this.#file, line: low + 1, column: Array.from(before).length + 1 }
  }
}

/** The entries of `value` when it is a mapping, else none: for reading values not validated yet. */
export function entriesOf(value: unknown): [string, unknown][] {
  return isRecord(value) ? Object.entries(value) : []
}

/** The elements of `value` when it is a list, else none. */
export function elementsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : []
}

/** The member `key` of `value` when `value` is a mapping that has it. */
export function memberOf(value: unknown, key: string): unknown {
  return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

/** True for a mapping, false for a list, text, number or nothing. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

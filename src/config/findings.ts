import type { ConfigCode, Problem } from '../errors.js'
import type { Path, Source } from './source.js'

/** Collects problems and notes about one configuration, each at the place of a value. */
export class Findings {
  readonly problems: Problem[] = []
  readonly notes: string[] = []
  readonly #source: Source

  constructor(source: Source) {
    this.#source = source
  }

  /** True for a file that was written for tsha. */
  get isStrict(): boolean {
    return this.#source.isStrict
  }

  /** Adds a problem with the value at `path`. */
  problem(code: ConfigCode, message: string, path: Path): void {
    this.problems.push({ code, message, position: this.#source.places.find(path).position })
  }

  /** Adds a problem with the key or directive at `path`. */
  keyProblem(code: ConfigCode, message: string, path: Path): void {
    this.problems.push({ code, message, position: this.#source.places.find(path).keyPosition })
  }

  /** Adds a problem in a file written for tsha, only a note in a file that its old daemon accepts. */
  problemIfStrict(code: ConfigCode, message: string, path: Path): void {
    if (this.#source.isStrict) this.problem(code, message, path)
    else this.note(message)
  }

  /** Adds a note, once. */
  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text)
  }

  /** The author's word for the value at `path`: `preempt_delay`, or what keepalived calls it. */
  labelOf(path: Path, key: string): string {
    return this.#source.places.get(path)?.label ?? key
  }

  /** The line of a value, for messages about a second one: `line 12`. */
  lineOf(path: Path): string {
    return `line ${this.#source.places.find(path).position.line}`
  }
}

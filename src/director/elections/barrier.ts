/** Where several wait until all of them have come, or until it took too long. */
export class Barrier {
  readonly #opened: Promise<void>
  #open: () => void = () => undefined
  #missing: number
  readonly #timer: NodeJS.Timeout

  /** @param count how many have to come */
  constructor(count: number, timeoutMs: number) {
    this.#missing = count
    this.#opened = new Promise((resolve) => (this.#open = resolve))
    this.#timer = setTimeout(() => {
      this.#open()
    }, timeoutMs)
    if (count === 0) this.#letGo()
  }

  /** To be called once by each. */
  async arrive(): Promise<void> {
    this.#missing -= 1
    if (this.#missing <= 0) this.#letGo()
    await this.#opened
  }

  #letGo(): void {
    clearTimeout(this.#timer)
    this.#open()
  }
}

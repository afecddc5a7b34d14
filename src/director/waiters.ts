/** Those who wait for something to become true, each for a bounded time. */
export class Waiters {
  readonly #looks = new Set<() => void>()

  /** Something may have become true. */
  notify(): void {
    for (const look of [...this.#looks]) look()
  }

  /** Resolves with true as soon as `isTrue` gives true after a `notify`, or with what it gives at the end. */
  async until(isTrue: () => boolean, timeoutMs: number): Promise<boolean> {
    if (isTrue()) return true
    return new Promise((resolve) => {
      const end = (isReached: boolean): void => {
        clearTimeout(timer)
        this.#looks.delete(look)
        resolve(isReached)
      }
      const look = (): void => {
        if (isTrue()) end(true)
      }
      const timer = setTimeout(() => {
        end(isTrue())
      }, timeoutMs)
      this.#looks.add(look)
    })
  }
}

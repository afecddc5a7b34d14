import { performance } from 'node:perf_hooks'

/** Where the time comes from: milliseconds, monotonic and as wall clock. */
export interface Clock {
  /** Milliseconds of CLOCK_MONOTONIC, fractional; the same in all processes of a machine. */
  now(): number
  /** Milliseconds since 1970, for logs and the Date field. */
  wall(): number
}

/** The clock of this machine. */
export function systemClock(): Clock {
  // performance.now() reads the same kernel clock as hrtime, from another origin, and is cheaper.
  const [seconds, nanoseconds] = process.hrtime()
  const offset = seconds * 1000 + nanoseconds / 1e6 - performance.now()
  return { now: () => performance.now() + offset, wall: () => Date.now() }
}

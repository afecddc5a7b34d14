import { performance } from 'node:perf_hooks'
import { atEndOfTurn } from './turn.js'

/** Where the time comes from: milliseconds, monotonic and as wall clock. */
export interface Clock {
  /** Milliseconds of CLOCK_MONOTONIC, fractional; the same in all processes of a machine. */
  now(): number
  /** Milliseconds since 1970, for logs and the Date field. */
  wall(): number
}

/**
 * The clock of this machine, read once in each turn of the event loop, as nginx does: a request asks
 * for the time ten times, and a turn lasts a millisecond or two at most.
 */
export function systemClock(): Clock {
  // performance.now() reads the same kernel clock as hrtime, from another origin, and is cheaper.
  const [seconds, nanoseconds] = process.hrtime()
  const offset = seconds * 1000 + nanoseconds / 1e6 - performance.now()
  let isRead = false
  let now = 0
  let wall = 0
  const forget = (): void => {
    isRead = false
  }
  const read = (): void => {
    isRead = true
    now = performance.now() + offset
    wall = Date.now()
    atEndOfTurn(forget)
  }
  return {
    now: () => {
      if (!isRead) read()
      return now
    },
    wall: () => {
      if (!isRead) read()
      return wall
    }
  }
}

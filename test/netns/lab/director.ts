import type { Host } from './host.js'

/**
 * What an administrator does to a director, whatever runs on it. The functions that disturb it
 * return the moment just before the disturbance, in milliseconds since the epoch.
 */
export interface Director {
  readonly host: Host
  readonly product: 'tsha' | 'keepalived and nginx'
  /** Resolves when it takes part in the election; it may have no address yet. */
  start(): Promise<void>
  /** Ends the proxy alone and keeps it down. */
  stopProxy(): Promise<number>
  /** Lets the proxy live again. */
  startProxy(): Promise<void>
  /** Ends the director in good order: it says goodbye to its partner. */
  stop(): Promise<number>
  /** Ends every process of the director at once, as a crash does. */
  kill(): Promise<number>
}

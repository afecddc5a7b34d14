import type { Log } from '../log.js'
import type { Backoff } from './worker-backoff.js'
import type { WorkerProcess } from './worker-process.js'

/** How long a worker that was replaced may take for what it still serves. Nobody waits for it. */
const RETIRE_GRACE_MS = 60_000

/** The place of one worker. */
export interface Slot {
  worker: WorkerProcess | null
  /** Begins while `worker` still serves, and takes its place when it listens or `worker` dies. */
  successor: WorkerProcess | null
  backoff: Backoff
  restart: NodeJS.Timeout | null
}

/**
 * Puts a new worker into each slot, one after the other: the new one listens before the old one is
 * told to end, and the old one has ended before the next slot has its turn. Both accept from the same
 * queue of the kernel, so that no connection is lost in between.
 *
 * @param forkSuccessor starts a worker as the successor in a slot; null when it is too late
 * @returns whether all are new; after the first that does not come to listen the rest stays
 */
export async function replaceWorkers(
  slots: readonly Slot[],
  log: Log,
  forkSuccessor: (slot: Slot) => WorkerProcess | null
): Promise<boolean> {
  for (const slot of slots) {
    const old = slot.worker
    // One that does not listen yet was started a moment ago, or takes the place of one that died.
    if (old?.isListening !== true) continue
    const successor = forkSuccessor(slot)
    if (successor === null || !(await successor.started)) return false
    // The old one died meanwhile, and its successor has its place already.
    if (slot.worker !== old) continue
    slot.worker = successor
    slot.successor = null
    log.info({ worker: old.pid, by: successor.pid }, 'worker replaced')
    await old.end(RETIRE_GRACE_MS)
  }
  return true
}

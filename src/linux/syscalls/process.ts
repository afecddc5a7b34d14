import { check, declare } from './libc.js'

const exitCall = declare('void _exit(int status)')
const prctlCall = declare(
  'int prctl(int operation, unsigned long a, unsigned long b, unsigned long c, unsigned long d)'
)

const PR_CAP_AMBIENT = 47
const PR_CAP_AMBIENT_RAISE = 2
const PR_CAP_AMBIENT_CLEAR_ALL = 4

/**
 * Ends this process at once. `process.exit` waits for every thread of libuv's pool, and with it for a
 * name server or a disk that never answers. What is to be written has to be written before.
 */
export function exitNow(status: number): void {
  exitCall(status)
}

/** Empties the ambient capabilities of this thread, which child processes would inherit. */
export function clearAmbientCapabilities(): void {
  check('prctl', prctlCall(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
}

/** @param capability its number in linux/capability.h */
export function raiseAmbientCapability(capability: number): void {
  check('prctl', prctlCall(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0))
}

import { check, declare } from './libc.js'

const setpriorityCall = declare('int setpriority(int which, uint32_t who, int priority)')
const setschedulerCall = declare(
  'int sched_setscheduler(int pid, int policy, const int32_t *parameters)'
)
const mlock2Call = declare('int mlock2(uintptr_t address, size_t length, unsigned int flags)')

const PRIO_PROCESS = 0
const SCHED_OTHER = 0
const SCHED_RR = 2
const SCHED_RESET_ON_FORK = 0x40000000
const MLOCK_ONFAULT = 1

/** @param nice -20 to 19, of one thread */
export function setNice(threadId: number, nice: number): void {
  check('setpriority', setpriorityCall(PRIO_PROCESS, threadId, nice))
}

/** From now on what this thread starts has the ordinary scheduler, and no nice value below 0. */
export function resetSchedulingOnFork(): void {
  const parameters = Int32Array.of(0)
  const result = setschedulerCall(0, SCHED_OTHER | SCHED_RESET_ON_FORK, parameters)
  check('sched_setscheduler', result)
}

/**
 * Gives this thread SCHED_RR; what it starts has the ordinary scheduler.
 *
 * @param priority 1 to 99
 */
export function setRoundRobin(priority: number): void {
  const parameters = Int32Array.of(priority)
  const result = setschedulerCall(0, SCHED_RR | SCHED_RESET_ON_FORK, parameters)
  check('sched_setscheduler', result)
}

/** Keeps the pages between two addresses in memory, each from its first use on. */
export function lockRange(start: bigint, end: bigint): void {
  check('mlock2', mlock2Call(start, end - start, MLOCK_ONFAULT))
}

import { readdirSync, readFileSync } from 'node:fs'
import { errnoOf, messageOf } from '../errors.js'
import { lockRange, resetSchedulingOnFork, setNice, setRoundRobin } from './syscalls/scheduling.js'

/** How this process is to be preferred to others. */
export interface Scheduling {
  /** -20 to 19; 0 leaves it. */
  readonly nice: number
  /** SCHED_RR priority, 1 to 99; null leaves the scheduler alone. */
  readonly realtimePriority: number | null
  /** Keeps the program's code in memory. */
  readonly lockMemory: boolean
}

/** What the three calls answer to those who may not: mlock(2) takes it for a lack of memory. */
const FORBIDDEN = new Set(['EPERM', 'EACCES', 'ENOMEM'])
/** A mapping of a file in /proc/self/maps: addresses, permissions, offset, device, inode, path. */
const FILE_MAPPING = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ [1-9]\d* +\//gm

/**
 * Prefers this process to others, so that it holds its schedule while they use up the CPU. Child
 * processes, and threads started later, inherit nothing of it but a nice value above 0. RLIMIT_RTTIME is left alone: it would
 * kill a director that is busy for long, as in a flood of packets; that realtime threads leave something
 * to others is the kernel's business (`sched_rt_runtime_us`), and realtime is refused where it does not.
 *
 * @returns why something was refused, one sentence each, as containers do; it goes on without
 */
export function applyScheduling(wanted: Scheduling): readonly string[] {
  const refused: string[] = []
  const attempt = (what: string, capability: string, act: () => void): void => {
    try {
      act()
    } catch (error) {
      const isForbidden = FORBIDDEN.has(errnoOf(error) ?? '')
      const hint = isForbidden ? `needs root or ${capability}` : messageOf(error)
      refused.push(`${what} is refused: ${hint}`)
    }
  }
  if (wanted.nice !== 0) {
    attempt(`nice ${wanted.nice}`, 'CAP_SYS_NICE', () => {
      // First, so that there is no moment in which a child could inherit it.
      resetSchedulingOnFork()
      niceAllThreads(wanted.nice)
    })
  }
  const { realtimePriority } = wanted
  if (realtimePriority !== null) {
    attempt(`realtime priority ${realtimePriority}`, 'CAP_SYS_NICE', () => {
      refuseBoundlessRealtime()
      setRoundRobin(realtimePriority)
    })
  }
  if (wanted.lockMemory) {
    attempt('locking memory', 'CAP_IPC_LOCK', lockProgram)
  }
  return refused
}

/** V8 collects garbage on threads of its own, which our thread waits for. */
function niceAllThreads(nice: number): void {
  for (const thread of readdirSync('/proc/self/task')) {
    try {
      setNice(Number(thread), nice)
    } catch (error) {
      if (errnoOf(error) !== 'ESRCH') throw error // it has ended
    }
  }
}

function refuseBoundlessRealtime(): void {
  const runtime = readFileSync('/proc/sys/kernel/sched_rt_runtime_us', 'latin1').trim()
  if (runtime === '-1') {
    throw new Error('kernel.sched_rt_runtime_us is -1, so a fault of ours could stop the machine')
  }
}

/**
 * Locks the mappings of files: the program itself and its libraries. V8's own memory must not be locked:
 * it gives pages back with MADV_DONTNEED, which the kernel refuses for locked ones, and then ends the
 * process (Node 20 to 26, seen).
 */
function lockProgram(): void {
  const maps = readFileSync('/proc/self/maps', 'latin1')
  for (const [, start = '', end = ''] of maps.matchAll(FILE_MAPPING)) {
    lockRange(BigInt(`0x${start}`), BigInt(`0x${end}`))
  }
}

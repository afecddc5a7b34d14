import { readFileSync } from 'node:fs'
import { familyOf } from '../test/netns/lab/process-tree.js'

/** USER_HZ, which is 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100

/** User and system time of a process and everything below it, in microseconds. */
export function cpuMicroseconds(pid: number): number {
  const ticks = familyOf(pid).reduce((sum, each) => sum + cpuTicks(each), 0)
  return (ticks * 1_000_000) / TICKS_PER_SECOND
}

/** Fields 14 and 15 of /proc/PID/stat (proc(5)); the name before them may contain spaces. */
function cpuTicks(pid: number): number {
  const stat = read(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
}

/**
 * Proportional set size of a process and everything below it, in KiB: a page that several processes
 * share is divided among them, so that the sum counts it once. The kernel's own memory, such as the
 * buffers of sockets, is not in it.
 */
export function memoryKib(pid: number): number {
  return familyOf(pid).reduce((sum, each) => {
    const pss = /^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${each}/smaps_rollup`))?.[1]
    return sum + Number(pss ?? 0)
  }, 0)
}

/** Empty when the process has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

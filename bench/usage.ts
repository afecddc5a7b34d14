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
 * Resident memory of a process and everything below it, in KiB. What they share, such as Node itself, is
 * counted once, whoever else on the machine shares it too. The kernel's own memory, such as the buffers
 * of sockets, is not in it.
 */
export function memoryKib(pid: number): number {
  const family = familyOf(pid).map((each) => read(`/proc/${each}/smaps_rollup`))
  const own = family.map((text) => kib(text, 'Private_Clean') + kib(text, 'Private_Dirty'))
  const shared = family.map((text) => kib(text, 'Shared_Clean') + kib(text, 'Shared_Dirty'))
  return own.reduce((sum, each) => sum + each, 0) + Math.max(...shared)
}

/** A field of /proc/PID/smaps_rollup. */
function kib(text: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0)
}

/** Empty when the process has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

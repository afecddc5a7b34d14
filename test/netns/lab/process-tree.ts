import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'

/**
 * Reads of /proc, all by ids of the namespace that the caller lives in. A process may end at any
 * moment, so an answer about one that is gone is empty, never an error.
 */

/** Ids of the children of every thread of a process. */
export function childrenOf(pid: number): number[] {
  const children: number[] = []
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const list = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
      for (const word of list.split(' ')) if (word !== '') children.push(Number(word))
    }
  } catch {
    return children
  }
  return children
}

/** Id of the parent of a process, 0 when it is gone. */
export function parentOf(pid: number): number {
  try {
    // The name in parentheses may hold anything; the state and the parent follow the last one.
    const [, parent = '0'] =
      readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return Number(parent)
  } catch {
    return 0
  }
}

/** Processor time that a process has used so far with all its threads, in milliseconds. */
export function processorTimeOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    // Fields 14 and 15, user and system time in hundredths of a second; the third one is the first here.
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return 0
  }
}

/** A process and everything below it, parents first. */
export function familyOf(pid: number): number[] {
  const family = [pid]
  for (let at = 0; at < family.length; at += 1) family.push(...childrenOf(family[at] ?? 0))
  return family
}

/** The arguments of a process joined with spaces, or the title that it gave itself. */
export function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

/** File name of the program that a process runs, such as `node`. */
export function programOf(pid: number): string {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`))
  } catch {
    return ''
  }
}

/** Signals a process; false when it was gone already. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false
  }
}

import { readFile } from 'node:fs/promises'
import { availableParallelism, hostname } from 'node:os'

/** What a configuration depends on in the machine that it is loaded on. */
export interface Machine {
  /** Only root can give the workers another user. */
  readonly isRoot: boolean
  readonly cpuCount: number
  /** Default of `router_id`. */
  readonly hostname: string
  readonly hasUser: (name: string) => Promise<boolean>
  readonly hasGroup: (name: string) => Promise<boolean>
}

/** The machine that this process runs on; users and groups are those of `/etc/passwd`, `/etc/group`. */
export function thisMachine(): Machine {
  return {
    isRoot: process.getuid?.() === 0,
    cpuCount: availableParallelism(),
    hostname: hostname(),
    hasUser: (name) => hasEntry('/etc/passwd', name),
    hasGroup: (name) => hasEntry('/etc/group', name)
  }
}

async function hasEntry(file: string, name: string): Promise<boolean> {
  const text = await readFile(file, 'utf8')
  return text.split('\n').some((line) => line.startsWith(`${name}:`))
}

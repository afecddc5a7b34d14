import { availableParallelism, hostname } from 'node:os'
import { findGroup, findUser, isRoot } from '../linux/users.js'

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
    isRoot: isRoot(),
    cpuCount: availableParallelism(),
    hostname: hostname(),
    hasUser: async (name) => (await findUser(name)) !== null,
    hasGroup: async (name) => (await findGroup(name)) !== null
  }
}

import { isUp } from './interface.js'

/** What one line of `ip -oneline monitor link address` tells. */
export type MonitorLine =
  | {
      readonly kind: 'link'
      readonly index: number
      readonly name: string
      /** Null when the line does not tell, or tells of a deletion, perhaps only from a bridge. */
      readonly isUp: boolean | null
    }
  | {
      readonly kind: 'address'
      readonly index: number
      readonly address: string
      readonly prefixLength: number
      readonly isPresent: boolean
    }

/** `2: ens160@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 …`, `Deleted` before it. */
const LINK = /^(Deleted )?(\d+): ([^\s:@]+)(?:@\S*)?: (?:<([^>]*)>)?/
/** `2: ens160    inet 10.0.0.5/24 scope global ens160\ …`; `inet 10.0.0.5 peer 10.0.0.6/30`. */
const ADDRESS = /^(Deleted )?(\d+): \S+ +inet6? ([0-9a-f.:]+)(?: peer [0-9a-f.:]+)?(?:\/(\d+))? /

/** Reads a line that iproute2 writes; null for one that tells of something else. */
export function parseMonitorLine(line: string): MonitorLine | null {
  const link = LINK.exec(line)
  if (link) {
    const [, deleted, index, name = '', flags] = link
    const isKnown = deleted === undefined && flags !== undefined
    return {
      kind: 'link',
      index: Number(index),
      name,
      isUp: isKnown ? isUp(flags.split(',')) : null
    }
  }
  const found = ADDRESS.exec(line)
  if (!found) return null
  const [, deleted, index, address = '', prefixLength] = found
  return {
    kind: 'address',
    index: Number(index),
    address,
    prefixLength: Number(prefixLength ?? (address.includes(':') ? 128 : 32)),
    isPresent: deleted === undefined
  }
}

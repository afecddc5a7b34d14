import { readFileSync } from 'node:fs'

/** Which cores do what, as lists for `taskset`. */
export interface Cores {
  /** The one that all processes of a proxy share. */
  readonly proxy: string
  /** The rest: load generator and upstream servers. */
  readonly others: string
}

/**
 * Divides the cores that this process may use.
 * @throws {Error} when there is only one
 */
export function divideCores(): Cores {
  const status = readFileSync('/proc/self/status', 'utf8')
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '0'
  const [proxy, ...others] = parseCoreList(list)
  if (proxy === undefined || others.length === 0) {
    throw new Error('the benchmark needs two cores: one for the proxy, one for the load')
  }
  return { proxy: String(proxy), others: others.join(',') }
}

/** `0-2,5` is 0, 1, 2 and 5. */
function parseCoreList(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

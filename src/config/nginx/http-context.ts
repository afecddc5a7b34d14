import type { Block, Report } from './block.js'
import type { Upstreams } from './upstreams.js'

/** What the servers of one `http` block share. */
export interface HttpContext {
  readonly http: Block
  readonly upstreams: Upstreams
  /** Names of the `limit_conn_zone`s. */
  readonly limitZones: ReadonlySet<string>
  readonly formats: ReadonlyMap<string, string>
  /** Lower-case names of the variables that say `upgrade` where the client asks for it. */
  readonly upgradeVariables: ReadonlySet<string>
  readonly report: Report
  readonly isRoot: boolean
}

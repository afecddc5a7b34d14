import type { CheckStatus, ConfigurationStatus, Status } from '../../admin/model.js'
import { problemsOf } from './problems.js'
import type { Instant } from './router-story.js'
import { proxyStatus, type ProxyFacts } from './status-proxy.js'
import { syncGroupStatus, virtualRouterStatus, type ElectionFacts } from './status-router.js'
import type { RouterWishes } from '../orders/router-wishes.js'
import { toIso } from '../iso-time.js'

/** What the parts of a director know, before it is put into the words of the admin API. */
export interface StatusFacts {
  readonly version: string
  readonly role: Status['role']
  readonly routerId: string
  readonly pid: number
  readonly startedAt: Instant
  readonly configuration: ConfigurationStatus
  /** Null without virtual routers, and before they are opened. */
  readonly elections: ElectionFacts | null
  readonly checks: readonly CheckStatus[]
  /** Null without a proxy, and before it is started. */
  readonly proxy: ProxyFacts | null
  readonly wishes: Pick<RouterWishes, 'of'>
}

/** Joins everything that a director knows about itself. Cheap: it is made on the director's loop. */
export function statusOf(facts: StatusFacts, now: Instant): Status {
  const { startedAt, elections, proxy, wishes } = facts
  const routers = elections?.routers ?? []
  const status = {
    version: facts.version,
    role: facts.role,
    router_id: facts.routerId,
    pid: facts.pid,
    now: toIso(now.wall),
    started_at: toIso(startedAt.wall),
    uptime_s: Math.round(now.monotonic - startedAt.monotonic) / 1000,
    configuration: facts.configuration,
    virtual_routers: routers.map((router) => virtualRouterStatus(router, wishes, startedAt, now)),
    sync_groups: (elections?.groups ?? []).map(syncGroupStatus),
    checks: facts.checks,
    proxy: proxy && proxyStatus(proxy, now)
  }
  const problems = problemsOf(status, {
    configuredWorkers: proxy?.config.workers ?? 0,
    late: routers.flatMap(({ config, lastLate }) =>
      lastLate === null
        ? []
        : [
            {
              router: config.name,
              lateMs: lastLate.late,
              agoS: (now.monotonic - lastLate.at) / 1000
            }
          ]
    )
  })
  return { ...status, problems }
}

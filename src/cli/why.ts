import type { Status, VirtualRouterStatus } from '../admin/model.js'
import { outputView, writeLines } from './output.js'
import { pickRouters } from './pick.js'
import { ASK_MS, openClient } from './status.js'
import type { TargetFlags } from './target.js'
import { readingOf } from './version-gap.js'
import { formatWhy } from './why-view.js'

export interface WhyFlags extends TargetFlags {
  /** Name of a virtual router or the beginning of it; undefined for all. */
  readonly router: string | undefined
}

/** `tsha why`: the chain of causes of the present state. @returns the exit code */
export async function why(flags: WhyFlags): Promise<number> {
  const client = await openClient(flags, ASK_MS)
  const status = await client.status()
  const routers = pickRouters(flags.router, status)
  const lines =
    routers.length === 0
      ? ['this director has no virtual routers: it is a proxy only']
      : readingOf(status, () => withBlanks(routers, status))
  await writeLines(lines)
  return 0
}

function withBlanks(routers: readonly VirtualRouterStatus[], status: Status): readonly string[] {
  const view = outputView()
  return routers.flatMap((router, index) => [
    ...(index > 0 ? [''] : []),
    ...formatWhy(router, status, view)
  ])
}

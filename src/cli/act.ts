import { writeLines } from './output.js'
import { pickRouter } from './pick.js'
import { openClient } from './status.js'
import { flagError, readNumber, type TargetFlags } from './target.js'

/** A little longer than the admin process waits for the director. */
export const ACT_MS = 95_000

export type SimpleCommand =
  'reload' | 'logs/reopen' | 'workers/replace' | 'proxy/stop' | 'proxy/start'

/** `tsha reload`, `reopen-logs`, `replace-workers`, `proxy stop|start`. @returns the exit code */
export async function act(flags: TargetFlags, command: SimpleCommand): Promise<number> {
  const client = await openClient(flags, ACT_MS)
  await writeLines(await client.command(`/v1/${command}`))
  return 0
}

export interface RouterFlags extends TargetFlags {
  /** Name of a virtual router or the beginning of it; undefined for all. */
  readonly router: string | undefined
}

/** `tsha step-down`, `tsha resume`. @returns the exit code */
export async function moveRouter(
  flags: RouterFlags,
  action: 'step-down' | 'resume'
): Promise<number> {
  const client = await openClient(flags, ACT_MS)
  if (flags.router === undefined) {
    await writeLines(await client.command(`/v1/virtual-routers/${action}`))
    return 0
  }
  const { name } = pickRouter(flags.router, (await client.status()).virtual_routers)
  const path = `/v1/virtual-routers/${encodeURIComponent(name)}/${action}`
  await writeLines(await client.command(path))
  return 0
}

/** `tsha priority`. @returns the exit code */
export async function setPriority(
  flags: TargetFlags & { readonly router: string; readonly priority: string }
): Promise<number> {
  if (flags.priority === '255') {
    throw flagError(
      'PRIORITY is 255, the owner of the addresses, which only the configuration makes'
    )
  }
  const priority = readNumber('PRIORITY', flags.priority, [1, 254])
  const client = await openClient(flags, ACT_MS)
  const { name } = pickRouter(flags.router, (await client.status()).virtual_routers)
  const path = `/v1/virtual-routers/${encodeURIComponent(name)}/priority`
  await writeLines(await client.command(path, { priority }))
  return 0
}

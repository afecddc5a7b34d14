import { messageOf } from '../errors.js'
import { checkStatus } from './check-line.js'
import { AdminClient } from './client.js'
import { followStatus, showLive } from './live.js'
import { outputView, write, writeLines } from './output.js'
import { formatStatus } from './status-view.js'
import { flagError, readTarget, readTimeout, type TargetFlags } from './target.js'
import { readingOf } from './version-gap.js'

/** How long a question may take. */
export const ASK_MS = 5000

export interface StatusFlags extends TargetFlags {
  readonly json: boolean | undefined
  readonly watch: boolean | undefined
  readonly check: boolean | undefined
}

/**
 * `tsha status`: a director at one glance.
 *
 * @returns the exit code; with `--check` that of a monitoring plugin
 */
export async function status(flags: StatusFlags): Promise<number> {
  const { json = false, watch = false, check = false } = flags
  if (check) {
    if (json || watch) throw flagError('--check stands alone: without --json and --watch')
    return await checkStatus(flags)
  }
  const client = await openClient(flags, ASK_MS)
  if (watch && json) await streamStatus(client)
  else if (watch)
    await showLive(client, 'status --watch', (status) => (view) => formatStatus(status, view))
  else if (json) await write(`${(await client.get('/v1/status')).trimEnd()}\n`)
  else {
    const found = await client.status()
    await writeLines(readingOf(found, () => formatStatus(found, outputView())))
  }
  return 0
}

/** @param fallbackMs how long an answer may take when no flag says it */
export async function openClient(flags: TargetFlags, fallbackMs: number): Promise<AdminClient> {
  const timeoutMs = readTimeout(flags.timeout, fallbackMs)
  return new AdminClient(await readTarget(flags, process.env), timeoutMs)
}

/** One status a line, for as long as somebody reads. */
async function streamStatus(client: AdminClient): Promise<void> {
  const stop = new AbortController()
  await client.status()
  await followStatus(
    client,
    stop.signal,
    async (status) => {
      if (!(await write(`${JSON.stringify(status)}\n`))) stop.abort()
    },
    (error) => {
      process.stderr.write(`tsha: ${messageOf(error)}\n`)
    }
  )
}

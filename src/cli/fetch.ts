import { pipeline } from 'node:stream/promises'
import { write } from './output.js'
import { ASK_MS, openClient } from './status.js'
import { errnoOf } from '../errors.js'
import { flagError, type TargetFlags } from './target.js'
import { explain } from './reach-errors.js'

/** `tsha metrics`: what Prometheus would be told. @returns the exit code */
export async function metrics(flags: TargetFlags): Promise<number> {
  const client = await openClient(flags, ASK_MS)
  await write(await client.get('/metrics'))
  return 0
}

/** `tsha recording`: the flight recording on standard output. @returns the exit code */
export async function recording(flags: TargetFlags): Promise<number> {
  if (process.stdout.isTTY) {
    throw flagError('a recording is long: tsha recording > FILE')
  }
  const client = await openClient(flags, ASK_MS)
  const response = await client.open({ method: 'GET', path: '/v1/recording' })
  response.setTimeout(30_000, () => response.destroy())
  try {
    await pipeline(response, process.stdout, { end: false })
  } catch (error) {
    // Nobody reads any more, as in `tsha recording | head`.
    if (errnoOf(error) !== 'EPIPE') throw await explain(error, client.target)
  }
  return 0
}

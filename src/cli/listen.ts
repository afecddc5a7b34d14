import { loadConfig, type LoadOptions } from '../config/load.js'
import { jsonOf, textOf } from '../director/listen/heard-line.js'
import { SegmentListener } from '../director/listen/segment-listener.js'
import { readInterface } from '../linux/interface.js'

export interface ListenOptions {
  readonly interface: string
  readonly json: boolean
  /** The configuration to judge by; null judges packets by themselves. */
  readonly load: LoadOptions | null
}

/**
 * `tsha listen`: prints every VRRP packet on an interface, one line each, until SIGINT or SIGTERM, or
 * until nobody reads any more. It sends nothing, and a director on the same machine goes on undisturbed.
 *
 * @returns the exit code
 * @throws {ConfigError} when the configuration cannot be used
 * @throws {TshaError} `TSHA_E_INTERFACE`, `TSHA_E_RAW_SOCKET`
 */
export async function listen(options: ListenOptions): Promise<number> {
  const { json, load } = options
  const virtualRouters = load === null ? [] : (await loadConfig(load)).config.virtualRouters
  const found = await readInterface(options.interface)
  const onThis = virtualRouters.filter((router) => router.interface === found.name)
  const format = json ? jsonOf : textOf
  const stopped = stopRequested()
  const listener = new SegmentListener(
    found,
    onThis,
    (heard, wallTime) => {
      // A slow reader makes us wait, and the kernel throws packets away meanwhile.
      process.stdout.write(format(heard, wallTime))
    },
    (message) => process.stderr.write(`tsha: ${message}\n`)
  )
  process.stderr.write(`tsha: listening on ${found.name}\n`)
  await stopped
  listener.close()
  return 0
}

function stopRequested(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      resolve()
    }
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
    // Nobody reads any more, as in `tsha listen | head`.
    process.stdout.on('error', stop)
  })
}

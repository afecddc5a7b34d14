import { loadConfig, type LoadOptions } from '../config/load.js'
import { ConfigError, formatProblem, messageOf } from '../errors.js'
import type { LoaderMessage, LoadOutcome } from './config-loader.js'
import { ownVersion } from './version.js'

/** Entry of the short-lived process that reads a configuration for a director that runs. */

async function load(options: LoadOptions): Promise<LoadOutcome> {
  try {
    return { ok: true, loaded: await loadConfig(options) }
  } catch (error) {
    const lines =
      error instanceof ConfigError ? error.problems.map(formatProblem) : [messageOf(error)]
    return { ok: false, lines }
  }
}

process.title = 'tsha: reading the configuration'
// A director that died, or waits no longer, wants nothing.
process.on('disconnect', () => process.exit(1))
process.on('message', (options: LoadOptions) => {
  void load(options).then((outcome) => {
    const message: LoaderMessage = { version: ownVersion(), outcome }
    process.send?.(message, undefined, undefined, () => process.exit(0))
  })
})

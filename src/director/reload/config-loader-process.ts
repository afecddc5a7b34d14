import { diffConfigs } from '../../config/diff.js'
import { configurationHash } from '../../config/hash.js'
import { loadConfig } from '../../config/load.js'
import { ConfigError, formatProblem, messageOf } from '../../errors.js'
import type { LoaderMessage, LoaderTask, LoadOutcome } from './config-loader.js'
import { VERSION } from '../version.js'

/** Entry of the short-lived process that reads a configuration for a director that runs. */

async function load({ options, current }: LoaderTask): Promise<LoadOutcome> {
  try {
    const loaded = await loadConfig(options)
    return {
      ok: true,
      loaded,
      hash: configurationHash(loaded.config),
      changes: diffConfigs(current, loaded.config)
    }
  } catch (error) {
    const lines =
      error instanceof ConfigError ? error.problems.map(formatProblem) : [messageOf(error)]
    return { ok: false, lines }
  }
}

process.title = 'tsha: reading the configuration'
// A director that died, or waits no longer, wants nothing.
process.on('disconnect', () => process.exit(1))
process.on('message', (task: LoaderTask) => {
  void load(task).then((outcome) => {
    const message: LoaderMessage = { version: VERSION, outcome }
    process.send?.(message, undefined, undefined, () => process.exit(0))
  })
})

import { configurationHash } from '../config/hash.js'
import { loadConfig, type LoadOptions } from '../config/load.js'
import { Director } from '../director/director.js'
import { openLog, type Log } from '../director/log.js'
import { messageOf } from '../errors.js'
import { openSystemdNotifier } from '../linux/sd-notify.js'

/**
 * `tsha run`: a director in the foreground, until SIGTERM or SIGINT.
 *
 * @returns the exit code
 * @throws {ConfigError} when the configuration cannot be used
 * @throws {TshaError} when the system refuses to let it start
 */
export async function run(options: LoadOptions): Promise<number> {
  const { config, files, ignored, notes } = await loadConfig(options)
  const hash = configurationHash(config)
  process.title = 'tsha: director'
  const { log, journal, end } = openLog()
  const systemd = openSystemdNotifier(process.env)
  if (ignored.length > 0) {
    log.info({ directives: ignored }, 'these directives have no meaning for tsha')
  }
  for (const note of notes) log.info(note)
  const director = new Director(config, options, log, systemd, { journal, files, hash })
  try {
    const stopRequested = signalled(director, log)
    const failed = brokenDown(director, log)
    const isUp = await Promise.race([
      director.start().then(() => true),
      stopRequested.then(() => false),
      failed
    ])
    const why = await Promise.race([stopRequested, failed])
    log.info({ signal: why }, 'stopping')
    // What has not come up yet has no requests to finish.
    await director.stop(isUp ? {} : { graceMs: 0 })
    log.info('stopped')
    return 0
  } catch (error) {
    await director.stop({ graceMs: 0 })
    throw error
  } finally {
    systemd.close()
    await end()
  }
}

/**
 * Rejects with the first error that nobody caught. Such a director gives its addresses away rather
 * than going on in a state that nobody foresaw.
 */
function brokenDown(director: Director, log: Log): Promise<never> {
  return new Promise((_, reject) => {
    process.on('uncaughtException', (error) => {
      log.fatal(error, 'giving up after an unexpected error')
      director.brokeDown(error)
      reject(error)
    })
  })
}

/** Resolves at the first request to stop. A second one ends a hand-over that is going on. */
function signalled(director: Director, log: Log): Promise<NodeJS.Signals> {
  process.on('SIGUSR1', () => {
    director.reopenLogs().catch((error: unknown) => {
      log.error(`cannot reopen the log files: ${messageOf(error)}`)
    })
  })
  process.on('SIGUSR2', () => {
    director.replaceWorkers().catch((error: unknown) => {
      log.error(`cannot replace the workers: ${messageOf(error)}`)
    })
  })
  process.on('SIGHUP', reloader(director, log))
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      let isFirst = true
      process.on(signal, () => {
        if (isFirst) resolve(signal)
        else void director.stop({ graceMs: 0 })
        isFirst = false
      })
    }
  })
}

/** Reloads; asked again meanwhile it does so once more afterwards, since the files may be others by then. */
function reloader(director: Director, log: Log): () => void {
  let isReloading = false
  let isWanted = false
  const reload = async (): Promise<void> => {
    do {
      isWanted = false
      const result = await director.reload()
      if (!result.ok && result.code === 'TSHA_E_CONFLICT')
        log.warn(`no reload: ${result.lines.join()}`)
    } while (isWanted as boolean)
  }
  return () => {
    isWanted = true
    if (isReloading) return
    isReloading = true
    reload()
      .finally(() => (isReloading = false))
      .catch((error: unknown) => {
        // Half a reload is a state that nobody foresaw.
        process.nextTick(() => {
          throw error
        })
      })
  }
}

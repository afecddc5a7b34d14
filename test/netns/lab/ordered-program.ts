import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { loadConfig, type LoadOptions } from '../../../src/config/load.js'
import { Director } from '../../../src/director/director.js'
import { openLog } from '../../../src/director/log.js'
import { openSystemdNotifier } from '../../../src/linux/sd-notify.js'

/**
 * `tsha run` with the old files, and orders from standard input: one command of the admin contract as
 * JSON in each line. The answer is a line of the log.
 */

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    role: { type: 'string' },
    'keepalived-conf': { type: 'string' },
    'nginx-conf': { type: 'string' }
  }
})
const options: LoadOptions = {
  role: values.role === 'master' ? 'master' : 'backup',
  keepalivedConf: values['keepalived-conf'] ?? '',
  nginxConf: values['nginx-conf'] ?? ''
}
const { config } = await loadConfig(options)
process.title = 'tsha: director'
const { log, journal, flush } = openLog()
const identity = { journal, files: [], hash: '' }
const director = new Director(config, options, log, openSystemdNotifier(process.env), identity)
process.once('SIGTERM', () => {
  void director.stop().then(() => {
    flush()
    process.exit(0)
  })
})
await director.start()
for await (const line of createInterface(process.stdin)) {
  const begunAt = performance.now()
  void director.perform(JSON.parse(line), 'the lab').then((result) => {
    log.info({ order: line, result, tookMs: performance.now() - begunAt }, 'answer')
  })
}

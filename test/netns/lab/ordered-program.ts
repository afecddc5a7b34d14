import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { loadConfig } from '../../../src/config/load.js'
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
const { config } = await loadConfig({
  role: values.role === 'master' ? 'master' : 'backup',
  keepalivedConf: values['keepalived-conf'] ?? '',
  nginxConf: values['nginx-conf'] ?? ''
})
process.title = 'tsha: director'
const { log, journal, flush } = openLog()
const director = new Director(config, log, openSystemdNotifier(process.env), {
  journal,
  configuration: { files: [], hash: '', loaded_at: new Date().toISOString(), last_reload: null }
})
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

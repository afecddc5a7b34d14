import { appendFileSync, openSync, writeSync } from 'node:fs'
import { Bodies } from '../bodies.js'
import { listen } from './server.js'

/**
 * One upstream server: `node main.js PORT INDEX SEED JOURNAL`. Its journal has a line `post ID` for each
 * POST whose head has come, and `bad WHY` for each request that the proxy should not have sent. Lines are
 * written at once: the process may be killed at any moment.
 */
const [port = '', index = '', seed = '', journal = ''] = process.argv.slice(2)
const bodies = new Bodies(Number(seed))
const fd = openSync(journal, 'a')

process.on('uncaughtException', (error) => {
  appendFileSync(journal, `bad the upstream server itself: ${error.stack ?? error.message}\n`)
  process.exit(1)
})
process.on('SIGTERM', () => {
  process.exit(0)
})
listen(Number(port), {
  index: Number(index),
  bodies,
  note: (line) => writeSync(fd, `${line}\n`)
})

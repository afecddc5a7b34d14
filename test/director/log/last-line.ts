import { pbkdf2 } from 'node:crypto'
import { openLog } from '../../../src/director/log.js'
import { exitNow } from '../../../src/linux/syscalls/process.js'

/** Says its last line while the only thread that could write it is busy, and ends at once. */
const { log, end } = openLog()
log.info('first line')
pbkdf2('a', 'b', 200_000, 64, 'sha512', () => undefined)
log.info('last line')
await end()
log.info('too late')
exitNow(0)

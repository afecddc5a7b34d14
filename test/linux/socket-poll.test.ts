import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'

/**
 * Reads a UDP socket, and goes on reading at a moment at which there is no descriptor left. Prints the
 * packets and errors that it is told of, in order.
 */
const PROGRAM = `
import { createSocket } from 'node:dgram'
import { closeSync, openSync } from 'node:fs'
import { SocketPoll } from '${new URL('../../src/linux/socket-poll.js', import.meta.url).href}'
const told = []
let tell = () => undefined
const next = () => new Promise((resolve) => (tell = resolve))
const note = (what) => { told.push(what); tell() }
const read = createSocket('udp4')
await new Promise((resolve) => read.bind(0, '127.0.0.1', resolve))
const port = read.address().port
const fd = read._handle.fd
// From now on only the poll reads it.
read._handle.recvStop()
const poll = new SocketPoll(fd, (packet) => note(String(packet)), (error) => note(error.code))
const sender = createSocket('udp4')
const send = (text) => { const heard = next(); sender.send(text, port, '127.0.0.1'); return heard }
await send('first')
poll.pause()
const taken = []
// It ends with the error that is wanted: no descriptor is left.
try { for (;;) taken.push(openSync('/dev/null')) } catch {}
poll.resume()
for (const each of taken) closeSync(each)
await send('second')
poll.close()
sender.close()
read.close()
process.stdout.write(JSON.stringify(told))
`

t.test('without a descriptor it goes on reading later, and nothing is thrown', async (t) => {
  const shell = 'ulimit -n 100; exec "$0" --input-type=module -e "$1"'
  const { stdout } = await promisify(execFile)('sh', ['-c', shell, process.execPath, PROGRAM], {
    timeout: 20_000
  })
  t.same(JSON.parse(stdout), ['first', 'EMFILE', 'second'])
})

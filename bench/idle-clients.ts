import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { LOOPBACK } from './sockets.js'

/**
 * Clients that stay: `node idle-clients.js PORT COUNT PATH` opens the connections, makes one request on
 * each, and says `open N` for every line that it reads. The end of its input is its own.
 */
const [port = '', count = '', path = ''] = process.argv.slice(2)
const AT_ONCE = 100
const REQUEST = `GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`

const open = new Set<Socket>()
let started = 0
let settled = 0

/** Opens one connection and, when its answer is there, the next. */
function openNext(): void {
  if (started === Number(count)) return
  started += 1
  const socket = connect(Number(port), LOOPBACK)
  socket.setNoDelay(true)
  socket.once('connect', () => socket.write(REQUEST))
  socket.once('data', () => {
    open.add(socket)
    settle()
  })
  socket.on('error', () => socket.destroy())
  socket.once('close', () => {
    if (!open.delete(socket)) settle()
  })
}

function settle(): void {
  settled += 1
  if (settled === Number(count)) process.stdout.write('ready\n')
  else openNext()
}

for (let index = 0; index < AT_ONCE; index += 1) openNext()

const input = createInterface({ input: process.stdin })
input.on('line', () => process.stdout.write(`open ${open.size}\n`))
input.on('close', () => process.exit(0))

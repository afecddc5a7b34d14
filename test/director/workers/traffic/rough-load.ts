import { connect, type Socket } from 'node:net'

/**
 * Clients good and bad: `node rough-load.js REQUESTS PORT...`. They go on until so many requests were
 * answered, say `half` when half of them were, and end with the process.
 */
const [wanted = 0, ...ports] = process.argv.slice(2).map(Number)

const CLIENTS = 48
/** Requests that a client sends at once. */
const BATCH = 16
const KINDS = '404 500 502 503 999 reset close half-head garbage cut chunked hang big good'.split(
  ' '
)
const STATUS_LINE = 'HTTP/1.1 '

let answered = 0
let hasToldHalf = false
let seed = 42

/** The same numbers each time, 0 to below `bound`. */
function draw(bound: number): number {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
  return Math.floor((seed / 2 ** 32) * bound)
}

function request(): string {
  const dice = draw(1000)
  if (dice >= 40) return 'GET /all/good HTTP/1.1\r\nHost: a\r\n\r\n'
  const kind = KINDS[draw(KINDS.length)] ?? ''
  // Each hanging server costs a timeout: only now and then.
  if (kind === 'hang') return rareHang()
  const path = `/${draw(2) === 0 ? 'all' : 'first'}/${kind}`
  switch (draw(8)) {
    case 0:
      return `HEAD ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
    case 1:
      return `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello`
    case 2:
      return `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`
    case 3:
      return get('/dead/one')
    case 4:
      return draw(4) === 0 ? 'GET / HTTP/9.9\r\nHost: a\r\n\r\n' : get(path)
    default:
      return get(path)
  }
}

function rareHang(): string {
  if (draw(6) > 0) return get('/first/good')
  if (draw(2) === 0) return get('/first/hang')
  // What is not idempotent is not asked of another server.
  return 'POST /all/hang HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
}

function note(count: number): void {
  answered += count
  if (hasToldHalf || answered < wanted / 2) return
  hasToldHalf = true
  process.stdout.write('half\n')
}

/** One connection after the other, each until it is closed. */
function serve(port: number): void {
  if (answered >= wanted) return
  const socket = open(port, () => {
    serve(port)
  })
  let left = 0
  let rest = ''
  const ask = (): void => {
    if (answered >= wanted) {
      socket.end()
      return
    }
    left = BATCH
    let text = ''
    for (let i = 0; i < BATCH; i++) text += request()
    socket.write(text)
  }
  socket.on('connect', ask)
  socket.on('data', (chunk) => {
    const text = rest + chunk.toString('latin1')
    let count = 0
    for (let at = text.indexOf(STATUS_LINE); at >= 0; at = text.indexOf(STATUS_LINE, at + 1))
      count++
    rest = text.slice(-(STATUS_LINE.length - 1))
    note(count)
    left -= count
    if (left <= 0) ask()
  })
}

/** Clients that go away: before the answer, in the middle of it, in the middle of a request. */
function desert(port: number): void {
  if (answered >= wanted) return
  const socket = open(port, () => {
    desert(port)
  })
  const choice = draw(3)
  socket.on('connect', () => {
    if (choice === 2) {
      socket.end('GET /all/good HTTP/1.1\r\nHo')
      return
    }
    socket.write(get(choice === 0 ? '/all/slow' : '/all/big'))
    if (choice === 0) setTimeout(() => socket.destroy(), 20)
  })
  socket.on('data', () => socket.destroy())
}

function open(port: number, onClosed: () => void): Socket {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => undefined)
  socket.on('close', () => setImmediate(onClosed))
  return socket
}

for (let i = 0; i < CLIENTS; i++) serve(ports[i % ports.length] ?? 0)
for (const port of ports) desert(port)

import { createServer, type Socket } from 'node:net'

/**
 * Web servers that do what a path asks for: `node faulty-web.js PORT...`. `/all/KIND` is done by each
 * server, `/first/KIND` only by the first one; the others answer well. Says `ready` when all listen.
 */
const ports = process.argv.slice(2).map(Number)

const GOOD = answer('200 OK', 'This is web\n')
const BIG = answer('200 OK', 'x'.repeat(256 * 1024))
const SLOW_MS = 300

function answer(status: string, body: string): string {
  return `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

function act(kind: string, socket: Socket): void {
  switch (kind) {
    case '404':
    case '500':
    case '502':
    case '503':
      socket.write(answer(`${kind} Injected`, 'no\n'))
      break
    case '999':
      socket.write(answer('999 Odd', 'odd\n'))
      break
    case 'reset':
      socket.resetAndDestroy()
      break
    case 'close':
      socket.destroy()
      break
    case 'half-head':
      socket.end('HTTP/1.1 200 OK\r\nContent-')
      break
    case 'garbage':
      socket.write('SSH-2.0-OpenSSH_9.2\r\n\r\n')
      break
    case 'cut':
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this')
      break
    case 'chunked':
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n')
      break
    case 'big':
      socket.write(BIG)
      break
    case 'slow':
      setTimeout(() => socket.write(GOOD), SLOW_MS)
      break
    case 'hang':
      break
    default:
      socket.write(GOOD)
  }
}

/** Takes one whole request off the text; null if there is none. */
function take(text: string): { readonly head: string; readonly rest: string } | null {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return null
  const head = text.slice(0, end)
  const from = end + 4 + Number(/\r\nContent-Length: (\d+)/i.exec(head)?.[1] ?? 0)
  return text.length < from ? null : { head, rest: text.slice(from) }
}

let listening = 0
for (const [index, port] of ports.entries()) {
  const server = createServer({ noDelay: true }, (socket) => {
    let text = ''
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      for (let request = take(text); request !== null; request = take(text)) {
        text = request.rest
        const [, scope, kind = ''] = /^\S+ \/(\w+)\/([\w-]+)/.exec(request.head) ?? []
        act(scope === 'all' || index === 0 ? kind : 'good', socket)
      }
    })
  })
  server.listen(port, '127.0.0.1', () => {
    if (++listening === ports.length) process.stdout.write('ready\n')
  })
}

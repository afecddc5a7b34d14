import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'

/** Answers one request: what came so far on the connection is `request`, its head complete. */
export type Script = (request: string, socket: Socket, serial: number) => void

/** A server that is scripted to the byte. */
export interface ScriptedUpstream {
  readonly port: number
  /** Every request, in order: head, and body as far as it had come when the script was run. */
  readonly requests: string[]
  /** Sockets in the order of their connections. */
  readonly sockets: Socket[]
  close(): Promise<void>
}

/** A response with a Content-Length. */
export function answer(body: string, status = '200 OK', fields = ''): string {
  return `HTTP/1.1 ${status}\r\n${fields}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/** Starts a scripted server on a free port; the default script answers `hello`. */
export async function scriptedUpstream(script: Script = sayHello): Promise<ScriptedUpstream> {
  const requests: string[] = []
  const sockets: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket)
    let text = ''
    socket.on('error', () => undefined)
    socket.on('end', () => socket.end())
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (!isComplete(text)) return
      const request = text
      text = ''
      requests.push(request)
      script(request, socket, requests.length)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    sockets,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  }
}

function sayHello(_request: string, socket: Socket): void {
  socket.write(answer('hello'))
}

/** Whether the head and, if its length is known, the body are there. */
function isComplete(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return false
  const length = /\r\nContent-Length: (\d+)\r\n/i.exec(text)
  if (length !== null) return text.length >= end + 4 + Number(length[1])
  return !/\r\nTransfer-Encoding: chunked\r\n/i.test(text) || text.endsWith('0\r\n\r\n')
}

/** A port of this machine on which nothing listens. */
export async function refusingPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import type { Client, ClientHost, RequestHandler } from '../../src/proxy/downstream/client.js'
import { Http1Client } from '../../src/proxy/downstream/http1.js'
import { TcpSocket } from '../../src/proxy/tcp/socket.js'
import { proxyConfig } from './support/proxy.js'
import { RawClient, get } from './support/raw-client.js'

const SIZE = 16 * 1024 * 1024
const FACTS = {
  remoteAddress: '127.0.0.1',
  remotePort: 1,
  serverAddress: '127.0.0.1',
  serverPort: 2,
  connection: 1
}

/** A client that reads nothing, of a request that `respond` answers at instant 0. */
async function slowClient(
  t: Test,
  respond: (client: Client) => void
): Promise<{ raw: RawClient; client: Http1Client; socket: Socket }> {
  const [server] = proxyConfig({ servers: [1] }, '/nonexistent').servers
  if (server === undefined) throw new Error('no server')
  const ignore = (): undefined => undefined
  const handler = (client: Client): RequestHandler => ({
    server,
    start: () => {
      respond(client)
    },
    onBody: ignore,
    onBodyEnd: ignore,
    onBodyFailed: ignore,
    onClientReady: ignore,
    onClientGone: ignore
  })
  const host: ClientHost = {
    now: () => 0,
    date: () => 'Sun, 22 Nov 2026 12:35:14 GMT',
    isDraining: false,
    drainSilenceMs: Infinity,
    open: handler,
    settle: ignore,
    report: ignore,
    setIdle: ignore,
    gone: ignore
  }
  // The high mark makes Node take everything at once, so that it waits in this process.
  const listener = createServer({ allowHalfOpen: true, highWaterMark: 4 * SIZE })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const raw = new RawClient((listener.address() as AddressInfo).port)
  const [socket] = (await once(listener, 'connection')) as [Socket]
  const client = new Http1Client(TcpSocket.adopt(socket), FACTS, server, host)
  t.teardown(async () => {
    await raw.close()
    socket.destroy()
    listener.close()
  })
  raw.socket.pause()
  raw.send(get())
  await once(socket, 'data')
  return { raw, client, socket }
}

t.test('send_timeout holds for the end of a last response too', async (t) => {
  const { raw, client, socket } = await slowClient(t, (client) => {
    client.start(200, 'OK', [], SIZE)
    client.write(Buffer.alloc(SIZE, 'x'))
    client.end()
  })
  t.ok(socket.writableLength > 0, 'a part of it waits in this process')
  t.equal(client.deadline, 60_000)
  raw.socket.resume()
  t.equal((await raw.rest()).split('\r\n\r\n')[1]?.length, SIZE)
})

t.test('send_timeout holds for what is left of a response that was cut', async (t) => {
  const { client, socket } = await slowClient(t, (client) => {
    client.start(200, 'OK', [], 2 * SIZE)
    client.write(Buffer.alloc(SIZE, 'x'))
    client.abort()
  })
  t.ok(socket.writableLength > 0, 'a part of it waits in this process')
  t.equal(client.deadline, 60_000)
  client.onDeadline(60_000)
  if (!socket.closed) await once(socket, 'close')
  t.equal(socket.destroyed, true)
})

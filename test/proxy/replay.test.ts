import t from 'tap'
import { BodyBudget, RequestBody } from '../../src/proxy/request-body.js'
import { startProxy } from './support/proxy.js'
import { exchange, statusOf } from './support/raw-client.js'
import { scriptedUpstream } from './support/upstream.js'

const put = (size: number): string =>
  `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\nConnection: close\r\n\r\n${'x'.repeat(size)}`

t.test('a body up to 1 MiB is sent again to the next server, a larger one is not', async (t) => {
  const web1 = await scriptedUpstream((_request, socket) => socket.destroy())
  const web2 = await scriptedUpstream()
  t.teardown(() => Promise.all([web1.close(), web2.close()]))
  for (const [size, status, sent] of [
    [1024 * 1024, 200, 1],
    [1024 * 1024 + 1, 502, 1]
  ] as const) {
    const proxy = await startProxy(t, {
      servers: [web1.port, web2.port],
      route: { maxBodySize: 0 }
    })
    t.equal(statusOf(await exchange(proxy.port, put(size))), status, String(size))
    t.equal(web2.requests.length, sent)
  }
})

t.test('what the worker has no room for is not kept, but still sent', (t) => {
  const budget = new BodyBudget(10)
  const first = new RequestBody(budget)
  const second = new RequestBody(budget)
  first.push(Buffer.from('12345678'))
  second.push(Buffer.from('abc'))
  t.same([first.isReplayable, second.isReplayable], [true, false])
  t.equal(second.next()?.toString(), 'abc')
  second.rewind()
  t.equal(second.next(), null, 'sent and gone')
  t.equal(first.next()?.toString(), '12345678')
  first.rewind()
  t.equal(first.next()?.toString(), '12345678', 'kept for the next server')
  first.release()
  t.ok(budget.take(10), 'and its memory given back')
  t.end()
})

t.test('a body that comes byte by byte is kept in few pieces, and sent whole', (t) => {
  const body = new RequestBody(new BodyBudget())
  const text = 'abcdefghij'.repeat(10_000)
  const drain = (): string[] => {
    const pieces: string[] = []
    for (let piece = body.next(); piece !== null; piece = body.next()) pieces.push(piece.toString())
    return pieces
  }
  for (const byte of text) body.push(Buffer.from(byte))
  const pieces = drain()
  t.equal(pieces.length, 26, 'the first byte and blocks of 4096')
  t.equal(pieces.join(''), text)
  body.push(Buffer.from('k'))
  body.push(Buffer.from('l'))
  t.same(drain(), ['kl'], 'what was sent is not sent twice')
  t.equal(body.hasNext, false)
  body.rewind()
  t.equal(drain().join(''), `${text}kl`, 'but is there for the next server')
  body.release()
  t.end()
})

t.test('a body that is given up on while its last block grows goes on where it was', (t) => {
  const body = new RequestBody(new BodyBudget(3))
  body.push(Buffer.from('a'))
  body.push(Buffer.from('b'))
  t.same([body.next()?.toString(), body.next()?.toString()], ['a', 'b'])
  body.push(Buffer.from('c'))
  body.push(Buffer.from('d'))
  t.equal(body.isReplayable, false)
  body.rewind()
  t.equal(body.next()?.toString(), 'cd')
  t.equal(body.hasNext, false)
  body.push(Buffer.from('e'))
  t.equal(body.next()?.toString(), 'e')
  body.release()
  t.end()
})

t.test('chunks of one byte go on as one chunk per read', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  const response = await exchange(
    proxy.port,
    'PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n' +
      `${'1\r\nx\r\n'.repeat(1000)}0\r\n\r\n`
  )
  t.equal(statusOf(response), 200)
  t.equal(web.requests[0]?.split('\r\n\r\n')[1], `3e8\r\n${'x'.repeat(1000)}\r\n0`)
})

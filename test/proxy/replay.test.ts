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

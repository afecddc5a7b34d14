import t from 'tap'
import { startProxy } from './support/proxy.js'
import { exchange, statusOf } from './support/raw-client.js'
import { scriptedUpstream } from './support/upstream.js'

const put = (size: number): string =>
  `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\nConnection: close\r\n\r\n${'x'.repeat(size)}`

t.test(
  'buffering off: a body up to 1 MiB is sent again to the next server, a larger one is not',
  async (t) => {
    const web1 = await scriptedUpstream((_request, socket) => socket.destroy())
    const web2 = await scriptedUpstream()
    t.teardown(() => Promise.all([web1.close(), web2.close()]))
    for (const [size, status, sent] of [
      [1024 * 1024, 200, 1],
      [1024 * 1024 + 1, 502, 1]
    ] as const) {
      const proxy = await startProxy(t, {
        servers: [web1.port, web2.port],
        route: { maxBodySize: 0, requestBuffering: false }
      })
      t.equal(statusOf(await exchange(proxy.port, put(size))), status, String(size))
      t.equal(web2.requests.length, sent)
    }
  }
)

t.test('chunks of one byte go on as one chunk per read', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], route: { requestBuffering: false } })
  const response = await exchange(
    proxy.port,
    'PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n' +
      `${'1\r\nx\r\n'.repeat(1000)}0\r\n\r\n`
  )
  t.equal(statusOf(response), 200)
  t.equal(web.requests[0]?.split('\r\n\r\n')[1], `3e8\r\n${'x'.repeat(1000)}\r\n0`)
})

import { createHash, randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { startProxy, type ProxyUnderTest } from './support/proxy.js'
import { RawClient } from './support/raw-client.js'
import {
  asking,
  breakOff,
  heldBytes,
  nothingLeft,
  openTunnel,
  readBytes,
  switching,
  tunnelServer,
  writeUntilStandstill,
  type OnUpgrade,
  type TunnelServer
} from './support/tunnel.js'

/** Everything that this process may hold in buffers, both ends of the tunnel included. */
const MAX_HELD = 2 * 1024 * 1024

async function setUp(
  t: Test,
  onUpgrade?: OnUpgrade
): Promise<{ proxy: ProxyUnderTest; web: TunnelServer }> {
  const web = await tunnelServer(onUpgrade)
  t.teardown(() => web.close())
  const route = { tunnelTimeoutMs: 10_000 }
  return { proxy: await startProxy(t, { servers: [web.port], route }), web }
}

t.test('20 MiB each way past slow readers: nothing lost, memory bounded', async (t) => {
  const { proxy, web } = await setUp(t)
  const { client, peer } = await openTunnel(proxy, web)
  client.socket.removeAllListeners('data')
  client.socket.pause()
  // The server echoes slowly, and the client reads the echo more slowly.
  peer.on('data', (chunk: Buffer) => {
    peer.pause()
    peer.write(chunk, () => setTimeout(() => peer.resume(), 1))
  })
  peer.resume()
  const blocks = 320
  const blockSize = 64 * 1024
  const sent = createHash('sha256')
  let written = 0
  const write = (): void => {
    while (written < blocks) {
      written++
      // Another one each time: bytes of the wrong moment must not look like the right ones.
      const block = randomBytes(blockSize)
      sent.update(block)
      if (!client.socket.write(block)) break
    }
  }
  client.socket.on('drain', write)
  write()
  const received = createHash('sha256')
  let got = 0
  let reads = 0
  let most = 0
  await new Promise<void>((resolve) => {
    client.socket.on('data', (chunk: Buffer) => {
      received.update(chunk)
      got += chunk.length
      if (++reads % 16 === 0) most = Math.max(most, heldBytes())
      client.socket.pause()
      if (got >= blocks * blockSize) resolve()
      else setTimeout(() => client.socket.resume(), 2)
    })
    client.socket.resume()
  })
  t.equal(got, 20 * 1024 * 1024)
  t.equal(received.digest('hex'), sent.digest('hex'))
  t.ok(most > 0 && most < MAX_HELD, `${most} bytes`)
  await breakOff(client)
  await nothingLeft(proxy)
})

t.test(
  'what a client sends before the 101 waits, in bounded memory, and is not lost',
  async (t) => {
    const granting: (() => void)[] = []
    const { proxy, web } = await setUp(t, (_head, socket) => {
      granting.push(() => socket.write(switching()))
    })
    const client = new RawClient(proxy.port)
    client.send(asking())
    const block = randomBytes(64 * 1024)
    const blocks = await writeUntilStandstill(client.socket, block, 1024)
    t.ok(blocks < 1024, 'the client has to wait')
    const held = heldBytes()
    t.ok(held < MAX_HELD, `${held} bytes`)
    granting[0]?.()
    const [peer] = web.sockets
    if (peer === undefined) throw new Error('no connection')
    const bytes = await readBytes(peer, blocks * block.length)
    t.ok(bytes.equals(Buffer.alloc(bytes.length, block)))
    await breakOff(client)
    await nothingLeft(proxy)
  }
)

t.test('a side that takes nothing stops the other one', async (t) => {
  const { proxy, web } = await setUp(t)
  const block = randomBytes(64 * 1024)
  const { client, peer } = await openTunnel(proxy, web)
  client.socket.pause()
  t.ok((await writeUntilStandstill(client.socket, block, 1024)) < 1024)
  t.ok((await writeUntilStandstill(peer, block, 1024)) < 1024)
  const held = heldBytes()
  t.ok(held < MAX_HELD, `${held} bytes`)
  await breakOff(client)
  await nothingLeft(proxy)
})

t.test(
  'bytes that wait for a slow client are not mixed with those of another tunnel',
  async (t) => {
    const { proxy, web } = await setUp(t)
    const slow = await openTunnel(proxy, web)
    const other = await openTunnel(proxy, web)
    slow.client.socket.removeAllListeners('data')
    slow.client.socket.pause()
    const size = 64 * 1024
    const count = await writeUntilStandstill(slow.peer, Buffer.alloc(size, 'a'), 1024)
    other.client.socket.removeAllListeners('data')
    other.peer.write(Buffer.alloc(4 * size, 'b'))
    t.ok((await readBytes(other.client.socket, 4 * size)).equals(Buffer.alloc(4 * size, 'b')))
    const bytes = await readBytes(slow.client.socket, count * size)
    t.ok(bytes.equals(Buffer.alloc(bytes.length, 'a')))
    await breakOff(slow.client)
    await breakOff(other.client)
    await nothingLeft(proxy)
  }
)

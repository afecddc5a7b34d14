import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { ProxyService } from '../../../src/director/workers/proxy-service.js'
import type { ProxyConfig } from '../../../src/proxy/model.js'
import { proxyConfig } from '../../proxy/support/proxy.js'
import { exchange, get, statusOf } from '../../proxy/support/raw-client.js'
import { answer, refusingPort, scriptedUpstream } from '../../proxy/support/upstream.js'
import { memoryLog } from '../notify/support.js'

t.setTimeout(60_000)

t.test(
  'another configuration gets workers of its own, beside the old ones until all is well',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'tsha-proxy-'))
    const well = await scriptedUpstream((_request, socket) => socket.write(answer('well')))
    const sick = await scriptedUpstream((_request, socket) =>
      socket.write(answer('sick', '500 Internal Server Error'))
    )
    const ports = [await refusingPort(), await refusingPort(), await refusingPort()] as const
    const configOf = (
      listens: readonly number[],
      servers = [sick.port, well.port]
    ): ProxyConfig => {
      const config = proxyConfig(
        {
          servers: servers.map((port) => ({
            port,
            maxFails: 1,
            failTimeoutMs: 60_000,
            recovery: 'request' as const
          })),
          config: { workers: 2 }
        },
        folder
      )
      const [server] = config.servers
      if (!server) throw new Error('no server')
      const listen = (port: number): typeof server => ({
        ...server,
        listen: { host: '127.0.0.1', port }
      })
      return { ...config, servers: listens.map(listen) }
    }
    const { log, messages } = memoryLog()
    const service = new ProxyService({
      checkToken: 'token',
      log,
      availabilityChanged: () => undefined
    })
    t.teardown(async () => {
      await service.stop(0)
      await Promise.all([well.close(), sick.close()])
      rmSync(folder, { recursive: true, force: true })
    })
    const ask = async (port: number): Promise<string> => exchange(port, get())

    await service.start(configOf([ports[0]]))
    for (let i = 0; i < 4; i += 1) t.equal(statusOf(await ask(ports[0])), 200)
    const failures = sick.requests.length
    t.ok(failures >= 1 && failures <= 2, 'the sick server is out')
    const old = service.supervisor

    await t.test('a listener comes, and the sick server is still known to be out', async (t) => {
      const prepared = await service.prepare(configOf([ports[0], ports[1]], [well.port, sick.port]))
      t.equal(service.supervisor, old, 'nothing is changed yet')
      prepared.commit()
      t.not(service.supervisor, old)
      for (const port of [ports[0], ports[1], ports[0], ports[1]])
        t.equal(statusOf(await ask(port)), 200)
      t.equal(sick.requests.length, failures, 'nobody asked it')
    })

    await t.test('a port that is taken refuses all of it, and the others serve on', async (t) => {
      const thief = createServer().listen(ports[2], '127.0.0.1')
      await once(thief, 'listening')
      const before = service.supervisor
      await t.rejects(service.prepare(configOf([ports[0], ports[2]])), { code: 'TSHA_E_LISTEN' })
      thief.close()
      t.equal(service.supervisor, before)
      t.equal(statusOf(await ask(ports[1])), 200)
    })

    await t.test('what is prepared can be given up', async (t) => {
      const prepared = await service.prepare(configOf([ports[2]]))
      t.equal(statusOf(await ask(ports[2])), 200)
      prepared.abort()
      t.equal(statusOf(await ask(ports[0])), 200)
    })

    await t.test('orders hold: a peer that drains, and a proxy that was stopped', async (t) => {
      service.supervisor?.wantPeer(1, { state: 'drain', weight: 7 })
      const drained = service.supervisor?.peers[1]?.name
      const prepared = await service.prepare(configOf([ports[0]]))
      prepared.commit()
      t.strictSame(
        service.supervisor?.peers.map(({ name, wish }) => [
          name === drained,
          wish.state,
          wish.weight
        ]),
        [
          [true, 'drain', 7],
          [false, 'up', null]
        ]
      )
      await service.supervisor?.stop(0)
      const next = await service.prepare(configOf([ports[1]]))
      next.commit()
      t.equal(service.supervisor?.state, 'stopped')
      await service.supervisor?.start()
      t.equal(statusOf(await ask(ports[1])), 200, 'it starts with the new configuration')
      t.strictSame(
        service.supervisor?.peers.map(({ wish }) => wish.state),
        ['drain', 'up']
      )
      const { state } = service.supervisor ?? {}
      t.equal(state, 'running')
    })

    await t.test('an order that comes in between wins', async (t) => {
      const prepared = await service.prepare(configOf([ports[0]]))
      t.equal(prepared.obstacle, null)
      const old = service.supervisor
      await old?.stop(0)
      t.match(prepared.obstacle, /stopped or started by an order/)
      prepared.abort()
      await old?.start()
      t.equal(statusOf(await ask(ports[1])), 200)
    })

    await t.test('orders for peers that come in between hold, too', async (t) => {
      const states = (): unknown => service.supervisor?.peers.map(({ wish }) => wish)
      t.match(states(), [{ state: 'drain', weight: 7 }, { state: 'up' }])
      const prepared = await service.prepare(configOf([ports[1]]))
      service.supervisor?.wantPeer(0, { state: 'up', weight: null })
      service.supervisor?.wantPeer(1, { state: 'down', weight: 3 })
      prepared.commit()
      t.strictSame(states(), [
        { state: 'up', weight: null },
        { state: 'down', weight: 3 }
      ])
      service.supervisor?.wantPeer(1, { state: 'up' })
    })

    await t.test('a proxy that is no more closes its listeners', async (t) => {
      const prepared = await service.prepare(null)
      prepared.commit()
      t.equal(service.supervisor, null)
      const deadline = Date.now() + 10_000
      const isOpen = (): Promise<boolean> => ask(ports[1]).then(Boolean, () => false)
      while (await isOpen()) if (Date.now() > deadline) throw new Error('still open')
    })
    t.notOk(messages().some((text) => /died|stuck/.test(text)))
  }
)

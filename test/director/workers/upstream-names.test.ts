import t from 'tap'
import type { Test } from 'tap'
import type { Log } from '../../../src/director/log.js'
import { LookupQueue } from '../../../src/director/workers/lookup-queue.js'
import { learn, nextLookupMs, UNRESOLVED } from '../../../src/director/workers/name-record.js'
import { UpstreamNames } from '../../../src/director/workers/upstream-names.js'
import type { ResolvedName } from '../../../src/proxy/worker-messages.js'
import { proxyConfig } from '../../proxy/support/proxy.js'

const INTERVAL_MS = 20

/** One lookup that was begun and ends as the test says. */
interface Asked {
  readonly host: string
  readonly answer: (...addresses: string[]) => void
  readonly fail: (problem: string) => void
}

/** Names whose lookups are answered by the test. */
class Bench {
  readonly asked: Asked[] = []
  readonly told: ResolvedName[] = []
  readonly lines: string[] = []
  readonly names: UpstreamNames
  #wake: () => void = () => undefined

  constructor(...hosts: string[]) {
    const servers = hosts.map((host) => ({ host, port: 80 }))
    const config = proxyConfig({ servers, config: { resolveIntervalMs: INTERVAL_MS } }, '/nowhere')
    const write = (level: string) => (facts: { detail?: string }, message: string) => {
      this.lines.push(`${level} ${message}${facts.detail === undefined ? '' : `: ${facts.detail}`}`)
    }
    const log = { info: write('info'), warn: write('warn') } as unknown as Log
    const ports = { now: () => performance.now(), random: () => 0.5, lookup: this.#ask }
    this.names = new UpstreamNames(config, log, ports, (name) => this.told.push(name))
  }

  readonly #ask = (host: string): Promise<readonly string[]> =>
    new Promise((resolve, reject) => {
      const answer = (...addresses: string[]): void => {
        resolve(addresses)
      }
      const fail = (problem: string): void => {
        reject(new Error(problem))
      }
      this.asked.push({ host, answer, fail })
      this.#wake()
    })

  /** The lookup with this number, as soon as it is begun. */
  readonly lookup = async (index: number): Promise<Asked> => {
    for (;;) {
      const asked = this.asked[index]
      if (asked) return asked
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

function bench(t: Test, ...hosts: string[]): Bench {
  const made = new Bench(...hosts)
  t.teardown(() => {
    made.names.stop()
  })
  made.names.start()
  return made
}

t.test('a name is told when it has addresses, and again only when they change', async (t) => {
  const { names, told, lines, lookup } = bench(t, 'web1.example.org', '192.0.2.9')
  t.equal(names.addressOf('web1.example.org'), null)
  t.equal(names.addressOf('192.0.2.9'), '192.0.2.9')
  ;(await lookup(0)).answer('192.0.2.2', '192.0.2.1', '192.0.2.2')
  ;(await lookup(1)).answer('192.0.2.1', '192.0.2.2')
  ;(await lookup(2)).answer('192.0.2.3')
  await lookup(3)
  t.same(told, [
    { host: 'web1.example.org', addresses: ['192.0.2.1', '192.0.2.2'] },
    { host: 'web1.example.org', addresses: ['192.0.2.3'] }
  ])
  t.same(lines, ['info upstream server is resolved', 'info upstream server has other addresses'])
  t.same(names.resolved(), [{ host: 'web1.example.org', addresses: ['192.0.2.3'] }])
})

t.test('a name that vanishes keeps its addresses; the log has its begin and its end', async (t) => {
  const { names, told, lines, lookup } = bench(t, 'web1.example.org')
  ;(await lookup(0)).fail('getaddrinfo EAI_AGAIN web1.example.org')
  t.same(names.resolved(), [])
  ;(await lookup(1)).answer('192.0.2.1')
  ;(await lookup(2)).fail('getaddrinfo ENOTFOUND web1.example.org')
  ;(await lookup(3)).fail('getaddrinfo ENOTFOUND web1.example.org')
  ;(await lookup(4)).answer('192.0.2.1')
  await lookup(5)
  t.equal(told.length, 1)
  t.equal(names.addressOf('web1.example.org'), '192.0.2.1')
  t.same(lines, [
    'warn upstream server cannot be resolved: it gets no requests until it can: getaddrinfo EAI_AGAIN web1.example.org',
    'info upstream server is resolved',
    'warn upstream server cannot be resolved: its last addresses stay in use: getaddrinfo ENOTFOUND web1.example.org',
    'info upstream server is resolved'
  ])
})

t.test('the director takes the addresses of a name in turn', async (t) => {
  const { names, lookup } = bench(t, 'web1.example.org')
  ;(await lookup(0)).answer('192.0.2.1', '192.0.2.2')
  await lookup(1)
  const taken = [1, 2, 3].map(() => names.addressOf('web1.example.org'))
  t.same(taken, ['192.0.2.1', '192.0.2.2', '192.0.2.1'])
})

t.test('two servers with one name make one lookup, and never two at a time', async (t) => {
  const { asked, lookup } = bench(t, 'a.example.org', 'a.example.org')
  await lookup(0)
  await new Promise((resolve) => setTimeout(resolve, 3 * INTERVAL_MS))
  t.equal(asked.length, 1)
})

t.test(
  'lookups that hang hold two threads at most, and one when they are known to be slow',
  (t) => {
    const ends = new Map<string, (addresses: string[]) => void>()
    const begun: string[] = []
    let now = 0
    const queue = new LookupQueue(
      (host) => {
        begun.push(host)
        return new Promise((resolve) => ends.set(host, resolve))
      },
      () => now
    )
    const observer = { late: () => undefined, ended: () => undefined }
    for (const host of ['slow1', 'slow2', 'quick']) queue.add(host, observer)
    t.same(begun, ['slow1', 'slow2'])
    now = 12_000
    ends.get('slow1')?.([])
    ends.get('slow2')?.([])
    setImmediate(() => {
      t.same(begun, ['slow1', 'slow2', 'quick'])
      ends.get('quick')?.([])
      setImmediate(() => {
        for (const host of ['slow1', 'slow2', 'quick2']) queue.add(host, observer)
        t.same(begun.slice(3), ['slow1', 'quick2'], 'past the one that is slow')
        queue.stop()
        for (const end of ends.values()) end([])
        t.end()
      })
    })
  }
)

t.test('a lookup that takes too long is a failure at once and an answer later', async (t) => {
  let end: (addresses: string[]) => void = () => undefined
  const lookup = (): Promise<string[]> => new Promise((resolve) => (end = resolve))
  const queue = new LookupQueue(lookup, () => 0, 10)
  const late = new Promise<string>((resolve) => {
    const answered = new Promise((heard) => {
      queue.add('a', { late: resolve, ended: heard })
    })
    void t.resolveMatch(answered, { addresses: ['192.0.2.1'] })
  })
  t.equal(await late, 'no answer within 10 ms')
  end(['192.0.2.1'])
})

t.test('the next lookup: after the interval, sooner after failures, a tenth early', (t) => {
  const failed = (count: number) => ({ ...UNRESOLVED, failures: count })
  t.equal(nextLookupMs(UNRESOLVED, 10_000, 0), 10_000)
  t.equal(nextLookupMs(UNRESOLVED, 10_000, 1), 9000)
  t.same(
    [1, 2, 3, 4, 5, 5000].map((count) => nextLookupMs(failed(count), 10_000, 0)),
    [1000, 2000, 4000, 8000, 10_000, 10_000]
  )
  const many = Array.from({ length: 100 }, (_, i) => `192.0.2.${i}`)
  t.equal(learn(UNRESOLVED, { addresses: many }).addresses.length, 64)
  t.end()
})

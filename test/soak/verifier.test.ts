import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Bodies } from './bodies.js'
import { Clients } from './client/clients.js'
import { FaultyProxy, type Misdeed } from './faulty-proxy.js'
import { Findings } from './findings.js'
import { audit } from './ledger.js'
import type { Plan } from './plan.js'
import { listen } from './upstream/server.js'

t.setTimeout(30_000)

const SEED = 1
const bodies = new Bodies(SEED)
const PLAN: Plan = {
  id: 0,
  group: 'web',
  method: 'GET',
  minorVersion: 1,
  status: 200,
  size: 200_000,
  framing: 'length',
  isEvents: false,
  upload: null,
  uploadFraming: 'length',
  expectsContinue: false,
  fault: null
}

async function portOf(server: Server): Promise<number> {
  if (!server.listening) await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Sends two requests through a proxy that does one thing wrong; returns what is found, without ids. */
async function findingsOf(
  misdeed: Misdeed,
  change: Partial<Plan> = {}
): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'tsha-verifier-'))
  const notes: string[] = []
  const lines: string[] = []
  const upstream = listen(0, { index: 0, bodies, note: (line) => notes.push(line) })
  const proxy = new FaultyProxy(await portOf(upstream), misdeed)
  try {
    const clients = new Clients(await portOf(proxy.server), bodies, SEED, (line) =>
      lines.push(line)
    )
    const manner = { kind: 'plain', at: 0 } as const
    const run = (id: number) =>
      clients.run({ plans: [{ ...PLAN, id, ...change }], manner, isFresh: false })
    await Promise.all([run(0), run(1)])
    await clients.drain()
    const books = { clients: join(directory, 'clients'), upstreams: [join(directory, 'upstream')] }
    writeFileSync(books.clients, lines.map((line) => `${line}\n`).join(''))
    writeFileSync(join(directory, 'upstream'), notes.map((note) => `${note}\n`).join(''))
    const findings = new Findings()
    await audit({ ...books, accessLogs: null, outages: [], probes: 0 }, findings)
    return findings.lines().map(withoutChance)
  } finally {
    proxy.close()
    upstream.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** How much had come and how long it took depends on the machine. */
function withoutChance(line: string): string {
  return line.replace(/ \(plain, fault none.*/, '').replace(/(wrong|short) 200 \d+ bytes/, '$1')
}

t.test('an honest proxy: nothing is found', async (t) => {
  t.strictSame(await findingsOf('none'), [])
  t.strictSame(await findingsOf('none', { framing: 'chunked' }), [])
  t.strictSame(await findingsOf('none', { method: 'POST', upload: 100_000 }), [])
})

t.test('responses of others are found', async (t) => {
  const [total, ...each] = await findingsOf('swap')
  t.equal(total, 'wrong responses: 2')
  // Both run at once: either may end first.
  t.strictSame(each.sort(), [
    '  GET 0 (length): wrong: the response of request 1',
    '  GET 1 (length): wrong: the response of request 0'
  ])
})

t.test('a response that is cut and does not look like it is found', async (t) => {
  t.match(await findingsOf('truncate'), [
    'wrong responses: 2',
    /^ {2}GET . \(length\): wrong: Content-Length 100000, wanted 200000$/
  ])
  t.match(await findingsOf('truncate', { framing: 'close' }), [
    'responses cut invisibly: 2',
    /^ {2}GET . \(close\): short: body of 100000 bytes instead of 200000$/
  ])
})

t.test(
  'a part that comes again in the place of the next, and one wrong byte, are found',
  async (t) => {
    t.match(await findingsOf('repeat-part'), [
      'wrong responses: 2',
      /^ {2}GET . \(length\): wrong: body differs at byte 65536$/
    ])
    t.match(await findingsOf('change-byte'), [
      'wrong responses: 2',
      /^ {2}GET . \(length\): wrong: body differs at byte 199999$/
    ])
  }
)

t.test('a response that comes twice is found', async (t) => {
  t.match(await findingsOf('answer-twice'), [
    'bytes that nobody asked for: 2',
    /a response that nobody asked for: HTTP\/1\.1 200 OK$/
  ])
})

t.test('a connection that is closed without a word, and a made-up status, are found', async (t) => {
  t.match(await findingsOf('say-nothing'), [
    'wrong responses: 2',
    /^ {2}GET . \(length\): wrong 0 0 bytes: connection closed without an answer$/
  ])
  t.match(await findingsOf('invent-status'), [
    'wrong responses: 2',
    /^ {2}GET . \(length\): wrong 500 0 bytes: unexpected HTTP\/1\.1 500 Internal Server Error$/
  ])
})

t.test('a POST that is executed twice is found', async (t) => {
  const upload = { method: 'POST', upload: 5, size: 10 } as const
  t.match(await findingsOf('send-twice', upload), ['POST executed twice: 2', /^ {2}POST [01]$/])
})

t.test('a request body that changes on its way is found, at both ends', async (t) => {
  const upload = { method: 'PUT', upload: 5, size: 10 } as const
  t.match(await findingsOf('change-upload', upload), [
    'wrong responses: 2',
    /^ {2}PUT . \(length\): wrong: the upstream server got 5 \d+ instead of 5 \d+$/,
    /^ {2}PUT /,
    'requests that the upstream servers refuse: 2',
    /^ {2}bad body of request [01] differs at 4$/
  ])
})

import { connect, type Socket } from 'node:net'
import t from 'tap'
import type { AdminEvent } from '../../src/admin/model.js'
import {
  begin,
  eventOf,
  Office,
  statusOf,
  TOKEN,
  until,
  type Asking,
  type Where
} from './support.js'

interface Test {
  teardown: (undo: () => void) => void
}

interface ServerSentEvent {
  readonly event: string
  readonly id: string | undefined
  readonly data: unknown
}

/** One reader of the stream, with what came so far. */
class Reader {
  readonly events: ServerSentEvent[] = []
  status = 0
  retryAfter: string | undefined
  isOver = false
  /** When each event came, in milliseconds. */
  readonly times: number[] = []

  static async open(
    t: Test,
    where: Where,
    path = '/v1/events',
    { headers = {}, ...asking }: Asking = {}
  ): Promise<Reader> {
    const reader = new Reader()
    const accept = { Accept: 'text/event-stream', ...headers }
    const response = await begin(where, path, { ...asking, headers: accept })
    t.teardown(() => response.destroy())
    reader.status = response.statusCode ?? 0
    reader.retryAfter = response.headers['retry-after']
    let rest = ''
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      const blocks = (rest + text).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) reader.#take(block)
    })
    response.on('error', () => undefined)
    response.on('close', () => (reader.isOver = true))
    return reader
  }

  of(event: string): unknown[] {
    return this.events.filter((each) => each.event === event).map(({ data }) => data)
  }

  get ids(): number[] {
    return this.of('log').map((event) => (event as AdminEvent).id)
  }

  #take(block: string): void {
    const field = (name: string): string | undefined =>
      new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
    const event = field('event')
    if (event === undefined) return
    this.events.push({ event, id: field('id'), data: JSON.parse(field('data') ?? 'null') })
    this.times.push(performance.now())
  }
}

const office = await Office.open(t, { listen: {} })
const { socket: socketPath } = office
office.happen(...Array.from({ length: 250 }, (_, index) => eventOf(index + 1)))
await until(() => office.events.length === 250)
let lastId = 0
while (lastId < 250) {
  const { json } = await office.ask('/v1/events')
  lastId = (json as { last_id: number }).last_id
}

t.test(
  'the history: the newest, those after an id, and those that are severe enough',
  async (t) => {
    const found = async (query: string): Promise<(number | undefined)[]> => {
      const { json } = await office.ask(`/v1/events${query}`)
      const { events } = json as { events: AdminEvent[] }
      return [events.length, events[0]?.id, events.at(-1)?.id]
    }
    t.strictSame(await found(''), [100, 151, 250])
    t.strictSame(await found('?limit=1000'), [250, 1, 250])
    t.strictSame(await found('?since=0'), [100, 1, 100])
    t.strictSame(await found('?since=248'), [2, 249, 250])
    t.strictSame(await found('?since=250'), [0, undefined, undefined])
    t.strictSame(await found('?since=999999'), [0, undefined, undefined])
    t.strictSame(await found('?level=warn'), [0, undefined, undefined])
  }
)

t.test('a stream says hello, then tells what happens from then on', async (t) => {
  const reader = await Reader.open(t, { socketPath })
  await until(() => reader.of('hello').length === 1)
  const hello = { version: '1.2.3', first_id: 1, last_id: 250, missed: 0, heartbeat_s: 10 }
  t.strictSame(reader.of('hello'), [hello])
  office.happen(eventOf(251), { ...eventOf(252), level: 'debug' }, eventOf(253, 'a\nb'))
  await until(() => reader.ids.length === 2)
  t.strictSame(
    reader.of('log'),
    [eventOf(251), eventOf(253, 'a\nb')],
    'without what is for debugging'
  )
  t.strictSame(
    reader.events.slice(1).map(({ id }) => id),
    ['251', '253']
  )
})

t.test('a stream goes on where it was cut, and tells what is not kept any more', async (t) => {
  const from = (id: string): Promise<Reader> =>
    Reader.open(t, { socketPath }, '/v1/events', { headers: { 'Last-Event-ID': id } })
  const [resumed, foreign] = await Promise.all([from('247'), from('100000')])
  await until(() => resumed.ids.length === 5 && foreign.ids.length === 252)
  t.strictSame(resumed.ids, [248, 249, 250, 251, 253])
  t.equal(foreign.ids[0], 1, 'a number of another life of the director: it gets all')
  const since = await Reader.open(t, { socketPath }, '/v1/events?since=251')
  await until(() => since.ids.length === 1)
  t.strictSame(since.ids, [253])
})

t.test('with the status: at once, once a second, and after each event', async (t) => {
  const path = '/v1/events?status=1'
  const [reader, plain] = await Promise.all([
    Reader.open(t, { socketPath }, path),
    Reader.open(t, { socketPath })
  ])
  await until(() => reader.of('status').length >= 3)
  t.strictSame(reader.of('status')[0], statusOf('director1'))
  const mark = reader.events.length
  const at = performance.now()
  office.happen(eventOf(254))
  await until(() => reader.events.slice(mark).some(({ event }) => event === 'log'))
  const told = reader.events.findIndex(({ event }, index) => index >= mark && event === 'log')
  await until(() => reader.events.slice(told).some(({ event }) => event === 'status'))
  const late = (reader.times.at(-1) ?? 0) - at
  t.ok(late < 900, `the status came ${late.toFixed(0)} ms after the event`)
  t.equal(plain.of('status').length, 0, 'whoever did not ask for it gets none')
})

t.test('a reader that does not read is cut in the end, and delays nobody', async (t) => {
  const stuck = connect(office.port, '127.0.0.1')
  t.teardown(() => stuck.destroy())
  stuck.on('error', () => undefined)
  stuck.pause()
  stuck.write(
    `GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nAccept: text/event-stream\r\n\r\n`
  )
  const reader = await Reader.open(t, { socketPath })
  await until(() => reader.of('hello').length === 1)
  // 25 MB: more than the sockets and the history take together.
  const text = 'x'.repeat(10_000)
  let slowest = 0
  for (let id = 255; id < 2755; id += 250) {
    const at = performance.now()
    const before = reader.ids.length
    office.happen(...Array.from({ length: 250 }, (_, index) => eventOf(id + index, text)))
    await until(() => reader.ids.length >= before + 250)
    slowest = Math.max(slowest, performance.now() - at)
  }
  t.strictSame(
    reader.ids,
    Array.from({ length: 2500 }, (_, index) => 255 + index)
  )
  t.ok(slowest < 1000, `the slowest batch took ${slowest.toFixed(0)} ms`)
  t.equal((await office.ask('/healthz')).status, 200)
  let isOver = false
  stuck.on('close', () => (isOver = true))
  stuck.resume()
  await until(() => isOver, 'the end of the reader that does not read')
})

const FLOOD = 10_000
const STREAMS_OVER_TCP = 32
const STATUS_EVERY = 1000

t.test('10 000 streams at once: refused beyond the bound, while the status is told', async (t) => {
  const head =
    `GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n` +
    'Accept: text/event-stream\r\n\r\n'
  const sockets: Socket[] = []
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  let [streams, refused, dropped] = [0, 0, 0]
  const delays: number[] = []
  const askStatus = async (): Promise<void> => {
    const at = performance.now()
    t.equal((await office.ask('/v1/status')).status, 200)
    delays.push(performance.now() - at)
  }
  for (let count = 0; count < FLOOD; count++) {
    const socket = connect(office.port, '127.0.0.1')
    sockets.push(socket)
    let isAnswered = false
    socket.once('data', (data) => {
      isAnswered = true
      const answer = data.toString('latin1')
      if (answer.startsWith('HTTP/1.1 200 ')) streams++
      else if (/^HTTP\/1\.1 503 .*retry-after: 10\r\n.*TSHA_E_TOO_MANY/is.test(answer)) refused++
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (!isAnswered) dropped++
    })
    socket.write(head)
    if (count % STATUS_EVERY === 0) await askStatus()
  }
  while (streams + refused + dropped < FLOOD) await askStatus()
  t.equal(streams, STREAMS_OVER_TCP)
  t.ok(refused > 0, `${refused} were told so, ${dropped} not even accepted`)
  delays.sort((a, b) => a - b)
  const median = delays[Math.floor(delays.length / 2)] ?? Infinity
  t.ok(median < 500, `the status took ${median.toFixed(0)} ms in the median of ${delays.length}`)
  const onSocket = await Reader.open(t, { socketPath })
  t.equal(onSocket.status, 200, 'the socket has its own share')
  const overTcp = await Reader.open(t, { host: '127.0.0.1', port: office.port }, '/v1/events', {
    token: TOKEN
  })
  t.match(overTcp, { status: 503, retryAfter: '10' })
  for (const socket of sockets) socket.destroy()
  let again = overTcp
  while (again.status === 503) {
    again = await Reader.open(t, { host: '127.0.0.1', port: office.port }, '/v1/events', {
      token: TOKEN
    })
  }
  t.equal(again.status, 200, 'and who goes makes room')
})

import { once } from 'node:events'
import { METHODS, createServer as createHttpServer } from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Route } from '../../src/proxy/model.js'
import { startProxy, type ProxyUnderTest } from '../proxy/support/proxy.js'
import { isSameBody, isSameRequest } from './compare.js'
import { llhttpRequests, llhttpResponse, type OracleRequest } from './oracle.js'
import { readRequests, readResponse } from './reader.js'
import { requestCase, responseCase } from './run.js'

/** The same comparison through a whole engine, over sockets. */
export interface EndToEndReport {
  readonly seed: number
  cases: number
  /** Requests that arrived, or responses that did. */
  messages: number
  /** Cases that llhttp as the upstream server has no words for. */
  skipped: number
  readonly finds: string[]
}

/** What `t.teardown` is. */
interface Test {
  teardown: (undo: () => Promise<void>) => void
}

const LIMIT_MS = 10_000
const AT_ONCE = 4

/** Sends `count` streams of requests through an engine to a server of Node's that writes them down. */
export async function requestsEndToEnd(
  t: Test,
  seed: number,
  count: number
): Promise<EndToEndReport> {
  const report: EndToEndReport = { seed, cases: 0, messages: 0, skipped: 0, finds: [] }
  /** By the address of their client, as X-Real-IP tells it: each case has its own. */
  const arrived = new Map<string, OracleRequest[]>()
  const errors: string[] = []
  const upstream = createHttpServer({ insecureHTTPParser: false, keepAliveTimeout: 0 })
  upstream.on('request', (request, response) => {
    const client = String(request.headers['x-real-ip'])
    const record = {
      method: request.method ?? '',
      target: request.url ?? '',
      minorVersion: request.httpVersionMinor,
      fields: request.rawHeaders,
      body: '',
      isComplete: false
    }
    const known = arrived.get(client)
    if (known === undefined) arrived.set(client, [record])
    else known.push(record)
    request.on('data', (chunk: Buffer) => (record.body += chunk.toString('latin1')))
    request.on('error', () => undefined)
    request.on('end', () => {
      record.isComplete = true
      response.end('ok')
    })
  })
  upstream.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // A client that leaves in the middle of its body takes the upstream connection with it.
    const isCut = error.code === 'ECONNRESET' || error.code === 'HPE_INVALID_EOF_STATE'
    if (!isCut) errors.push(error.code ?? error.message)
    socket.destroy()
  })
  const port = await listen(upstream)
  const start = (route: Partial<Route>): Promise<ProxyUnderTest> =>
    startProxy(t, { servers: [{ port, maxFails: 0 }], route: { maxBodySize: 0, ...route } })
  // Bodies stream, or wait in memory, or on the disk.
  const streaming = await start({ requestBuffering: false })
  const buffering = await start({})
  const spooling = await start({ bodyBufferSize: 1 })
  t.teardown(async () => {
    upstream.closeAllConnections()
    await close(upstream)
  })

  const one = async (index: number): Promise<void> => {
    const { text, places } = requestCase(seed, index)
    const served = readRequests(text, places)
    const isForeign = ({ head }: (typeof served.requests)[number]): boolean =>
      !METHODS.includes(head.method) || /[\x80-\xff]/.test(head.target)
    if (served.requests.some(isForeign) || / HTTP\/1\.[2-9]/.test(text)) {
      report.skipped++
      return
    }
    const address = `127.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`
    const whole = served.requests.filter((each) => each.isComplete).length
    const answers = served.ending === 'refused' ? whole + 1 : whole
    const proxy = [streaming, buffering][index % 3] ?? spooling
    const received = await converse(proxy.port, address, text, places, (so) => {
      return served.ending === 'waiting' && statusesOf(so).length >= answers
    })
    const statuses = statusesOf(received)
    const requests = arrived.get(address) ?? []
    arrived.delete(address)
    report.cases++
    report.messages += whole
    const oracle = llhttpRequests(text)
    const others = requests.some(({ isComplete }, i) => {
      const other = oracle.requests[i]
      const request = requests[i]
      if (other === undefined || request === undefined || !isSameRequest(request, other))
        return true
      return isComplete ? !isSameBody(request, other) : !other.body.startsWith(request.body)
    })
    // After Upgrade llhttp leaves what follows in the same read to another protocol.
    const isUpgrade = oracle.requests.some((each) => each.fields.includes('Upgrade'))
    const complete = requests.filter((each) => each.isComplete).length
    const served200 = statuses.filter((status) => status === 200).length
    if (
      (others && !isUpgrade) ||
      complete !== whole ||
      served200 !== whole ||
      statuses.length !== answers
    ) {
      report.finds.push(
        `seed ${seed}, case ${index}: ${JSON.stringify(text)} cut at ${JSON.stringify(places)}: ` +
          `${complete} requests arrived, ${whole} expected; answers ${statuses.join(' ')}; ` +
          `arrived ${JSON.stringify(requests)}; llhttp ${JSON.stringify(oracle.requests)}`
      )
    }
  }
  await eachCase(count, report, one)
  for (const error of errors)
    report.finds.push(`the upstream server could not read a request: ${error}`)
  return report
}

/** Has `count` responses come through an engine. */
export async function responsesEndToEnd(
  t: Test,
  seed: number,
  count: number
): Promise<EndToEndReport> {
  const report: EndToEndReport = { seed, cases: 0, messages: 0, skipped: 0, finds: [] }
  const sockets = new Set<Socket>()
  const upstream = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      const { text, places, isEnded } = plan(Number(/\/(\d+) /.exec(chunk.toString('latin1'))?.[1]))
      void sendInPieces((piece) => socket.write(piece, 'latin1'), text, places).then(() => {
        if (isEnded) socket.end()
      })
    })
  })
  const plan = (index: number): ReturnType<typeof responseCase> => {
    const each = responseCase(seed, index)
    const served = readResponse(each.text, each.method, false, each.places)
    // Bytes behind the response must not come so late that they answer the next request.
    const places = served.isComplete && served.end < each.text.length ? [] : each.places
    // Where tsha would wait for more, or not use the connection again, it has come to its end.
    return { ...each, places, isEnded: !served.isReused || places !== each.places }
  }
  const port = await listen(upstream)
  const proxy = await startProxy(t, { servers: [{ port, maxFails: 0 }], route: { maxBodySize: 0 } })
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await close(upstream)
  })

  const one = async (index: number): Promise<void> => {
    const each = plan(index)
    const { text, places, method } = each
    const head = `${method} /${index} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n`
    const length = method === 'POST' ? 'Content-Length: 0\r\n' : ''
    const address = `127.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`
    const received = await converse(proxy.port, address, `${head}${length}\r\n`, [], () => false)
    const answer = await llhttpResponse(received, method, true)
    const oracle = await llhttpResponse(text, method, each.isEnded)
    const served = readResponse(text, method, each.isEnded, places)
    report.cases++
    const isRefusal = answer.status === 502 && answer.body === (method === 'HEAD' ? '' : PAGE_502)
    if (answer.isComplete && !isRefusal) report.messages++
    const isAlike =
      answer.status === oracle.status &&
      (answer.isComplete
        ? oracle.isComplete && answer.body === oracle.body
        : oracle.body.startsWith(answer.body))
    // How the pieces are read is the kernel's choice: only a whole response must be as foreseen.
    const isForeseen = places.length > 0 || (served.head === null) === isRefusal
    if (!(isRefusal || isAlike) || !isForeseen || answer.error !== null) {
      if (/HTTP\/1\.[2-9] /.test(text)) return
      report.finds.push(
        `seed ${seed}, case ${index} (${method}): ${JSON.stringify(text)} cut at ` +
          `${JSON.stringify(places)}: the client got ${JSON.stringify(received)}; ` +
          `llhttp ${JSON.stringify(oracle)}; foreseen ${served.problem}`
      )
    }
  }
  await eachCase(count, report, one)
  return report
}

const PAGE_502 =
  '<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n'

/** The numbers of such a run in one line. */
export function endToEndSummary(side: string, report: EndToEndReport): string {
  const { seed, cases, messages, skipped } = report
  return `${side} end to end: seed ${seed}, ${cases} cases, ${messages} messages arrived, ${skipped} skipped`
}

async function eachCase(
  count: number,
  report: EndToEndReport,
  one: (index: number) => Promise<void>
): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    while (next < count && report.finds.length === 0) {
      const index = next++
      await one(index)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

/** The final statuses of the answers in a client's bytes; every answer begins a line of its own. */
function statusesOf(received: string): number[] {
  const heads = received.matchAll(/HTTP\/1\.1 ([2-5]\d\d) [^]*?\r\n\r\n/g)
  return [...heads].map((match) => Number(match[1]))
}

/** Sends a text in pieces and takes what comes until the end, or until it is enough. */
async function converse(
  port: number,
  localAddress: string,
  text: string,
  places: readonly number[],
  isEnough: (received: string) => boolean
): Promise<string> {
  let received = ''
  const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true })
  const timer = setTimeout(() => socket.destroy(), LIMIT_MS)
  socket.on('error', () => undefined)
  const leave = (): void => {
    if (isSent && isEnough(received)) socket.destroy()
  }
  let isSent = false
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
    leave()
  })
  const closed = once(socket, 'close')
  await once(socket, 'connect')
  await sendInPieces((piece) => !socket.writable || socket.write(piece, 'latin1'), text, places)
  isSent = true
  leave()
  await closed
  clearTimeout(timer)
  return received
}

async function sendInPieces(
  send: (piece: string) => unknown,
  text: string,
  places: readonly number[]
): Promise<void> {
  let from = 0
  for (const to of [...places, text.length]) {
    if (from > 0) await new Promise((resolve) => setImmediate(resolve))
    send(text.slice(from, to))
    from = to
  }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function close(server: Server): Promise<void> {
  server.close()
  await once(server, 'close')
}

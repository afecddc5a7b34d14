import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bodies } from '../bodies.js'
import { EARLY_FIELD, GOT_FIELD, ID_FIELD, type FaultKind, type Order } from '../plan.js'
import { isDrained } from '../sockets.js'

/** What is to be answered, and how badly. */
export interface Answer {
  readonly order: Order
  readonly isHead: boolean
  readonly fault: FaultKind | null
  /** Value of `X-Soak-Got`; null without a body, and before it is there. */
  readonly got: string | null
}

/** Longer than the proxy waits for an upstream server. */
const LONGEST_STALL_MS = 6000
const EVENTS = 16
const EVENT_GAP_MS = 60
const DRIPS = 24
const DRIP_GAP_MS = 12
const LONGEST_CHUNK = 60_000
const MOST_CHUNKS = 2000
const HUGE_FIELD = 40 * 1024
const GARBAGE = '\x16\x03\x01 this is no HTTP \0\r\n\r\n'

/**
 * Answers a request on a connection.
 * @returns whether another request may follow on it
 */
export async function giveAnswer(socket: Socket, bodies: Bodies, answer: Answer): Promise<boolean> {
  const { order, fault } = answer
  const at = order.fault?.at ?? 0
  if (fault === 'stall-head') await sleep((LONGEST_STALL_MS * at) / 1000)
  if (fault === 'garbage-head') {
    socket.end(GARBAGE)
    return false
  }
  const head = headOf(answer)
  if (fault === 'reset-head') {
    socket.write(head.slice(0, Math.floor((head.length * at) / 1000)), 'latin1')
    socket.resetAndDestroy()
    return false
  }
  if (fault === 'interim') socket.write(interims(at), 'latin1')
  socket.cork()
  socket.write(head, 'latin1')
  const isWhole = answer.isHead || order.status === 304 || (await sendBody(socket, bodies, answer))
  socket.uncork()
  if (!isWhole) return false
  return finish(socket, answer)
}

/** Ends the connection if it was announced, or although it was not. */
function finish(socket: Socket, { order, fault }: Answer): boolean {
  if (fault === 'garbage-after') socket.write(GARBAGE, 'latin1')
  if (order.framing !== 'close' && !isEnding(fault)) return !socket.destroyed
  socket.end()
  return false
}

function isEnding(fault: FaultKind | null): boolean {
  return fault === 'end-after' || fault === 'early-end' || fault === 'garbage-after'
}

function headOf({ order, fault, got }: Answer): string {
  const status = fault === 'status-503' ? '503 Service Unavailable' : statusLine(order.status)
  let text = `HTTP/1.1 ${status}\r\n${ID_FIELD}: ${order.id}\r\n`
  if (order.status === 304) text += `ETag: "${order.id}"\r\n`
  if (order.framing === 'length') text += `Content-Length: ${order.size}\r\n`
  else if (order.framing === 'chunked') text += 'Transfer-Encoding: chunked\r\n'
  else text += 'Connection: close\r\n'
  if (order.isEvents) text += 'Content-Type: text/event-stream\r\n'
  if (got !== null) text += `${GOT_FIELD}: ${got}\r\n`
  else if (order.upload !== null) text += `${EARLY_FIELD}: yes\r\n`
  if (fault === 'huge-head') text += `X-Huge: ${'x'.repeat(HUGE_FIELD)}\r\n`
  return `${text}\r\n`
}

function statusLine(status: Order['status']): string {
  return status === 304 ? '304 Not Modified' : '200 OK'
}

function interims(at: number): string {
  const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n'
  return at % 2 === 0 ? hints : `HTTP/1.1 100 Continue\r\n\r\n${hints}${hints}`
}

/** Sends the body piece by piece; false if it was broken off or nobody is there any more. */
async function sendBody(socket: Socket, bodies: Bodies, answer: Answer): Promise<boolean> {
  const { order, fault } = answer
  const faultAt = Math.floor((order.size * (order.fault?.at ?? 0)) / 1000)
  const longest = longestPiece(answer)
  let hasFailed = false
  for (let sent = 0; sent < order.size;) {
    const upToFault = !hasFailed && sent < faultAt && fault !== null ? faultAt - sent : Infinity
    if (fault !== null && !hasFailed && sent >= faultAt) {
      hasFailed = true
      if (!(await actInBody(socket, answer))) return false
    }
    const piece = bodies.piece(
      'response',
      order.id,
      sent,
      Math.min(longest, upToFault, order.size - sent)
    )
    writePiece(socket, order, piece)
    socket.uncork()
    sent += piece.length
    // Behind the last piece the next request may come: no time may pass there.
    if (sent === order.size) break
    if (order.isEvents) await sleep(EVENT_GAP_MS)
    else if (fault === 'drip') await sleep(DRIP_GAP_MS)
    if (!(await isDrained(socket))) return false
  }
  if (order.framing === 'chunked') socket.write('0\r\n\r\n')
  return true
}

function longestPiece({ order, fault }: Answer): number {
  if (order.isEvents) return Math.ceil(order.size / EVENTS)
  if (fault === 'drip') return Math.ceil(order.size / DRIPS)
  return Math.max(1 + ((order.id * 7919) % LONGEST_CHUNK), Math.ceil(order.size / MOST_CHUNKS))
}

function writePiece(socket: Socket, { framing }: Order, piece: Buffer): void {
  if (framing !== 'chunked') {
    socket.write(piece)
    return
  }
  socket.cork()
  socket.write(`${piece.length.toString(16)}\r\n`)
  socket.write(piece)
  socket.write('\r\n')
  socket.uncork()
}

/** The fault of a body at its place; false if nothing more is to be sent. */
async function actInBody(socket: Socket, { order, fault }: Answer): Promise<boolean> {
  socket.uncork()
  switch (fault) {
    case 'reset-body':
      socket.resetAndDestroy()
      return false
    case 'end-body':
      socket.end()
      return false
    case 'garbage-chunk':
      socket.end('zz\r\nno chunk\r\n')
      return false
    case 'stall-body':
      await sleep((LONGEST_STALL_MS * (order.fault?.at ?? 0)) / 1000)
      return true
    default:
      return true
  }
}

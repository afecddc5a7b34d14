import type { Bodies } from '../bodies.js'
import { ID_FIELD, targetOf, type Plan } from '../plan.js'
import type { Session } from './session.js'

/** The head of a request, as latin1 text. */
export function headText(plan: Plan): string {
  const { id, method, minorVersion, upload, uploadFraming } = plan
  let text = `${method} ${targetOf(plan)} HTTP/1.${minorVersion}\r\nHost: soak\r\n${ID_FIELD}: ${id}\r\n`
  if (plan.status === 304) text += `If-None-Match: "${id}"\r\n`
  if (upload !== null && uploadFraming === 'chunked') text += 'Transfer-Encoding: chunked\r\n'
  else if (upload !== null) text += `Content-Length: ${upload}\r\n`
  if (plan.expectsContinue) text += 'Expect: 100-continue\r\n'
  return `${text}\r\n`
}

/** A whole request with a small body, as latin1 text, to be sent together with others. */
export function wholeText(bodies: Bodies, plan: Plan): string {
  const { id, upload, uploadFraming } = plan
  const head = headText(plan)
  if (upload === null) return head
  const body = bodies.piece('request', id, 0, upload).toString('latin1')
  if (uploadFraming === 'length') return `${head}${body}`
  const chunk = upload === 0 ? '' : `${upload.toString(16)}\r\n${body}\r\n`
  return `${head}${chunk}0\r\n\r\n`
}

/** How a body is sent. */
export interface Pace {
  readonly longest: number
  /** Called between two pieces; false stops. */
  readonly between: (sent: number) => Promise<boolean> | boolean
}

/** Sends a request's body until it is complete or nobody wants more. */
export async function sendBody(
  session: Session,
  bodies: Bodies,
  plan: Plan,
  pace: Pace
): Promise<void> {
  const size = plan.upload ?? 0
  const isChunked = plan.uploadFraming === 'chunked'
  for (let sent = 0; sent < size;) {
    const piece = bodies.piece('request', plan.id, sent, Math.min(pace.longest, size - sent))
    const { socket } = session
    socket.cork()
    if (isChunked) void session.write(`${piece.length.toString(16)}\r\n`)
    const mayGoOn = session.write(piece)
    if (isChunked) void session.write('\r\n')
    socket.uncork()
    sent += piece.length
    if (!(await mayGoOn) || !(await pace.between(sent))) return
  }
  if (isChunked) await session.write('0\r\n\r\n')
}

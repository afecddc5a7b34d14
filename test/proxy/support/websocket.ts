import { createHash } from 'node:crypto'

/** As much of RFC 6455 as a conversation of short messages needs. */

/** Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 §4.2.2). */
export function acceptKey(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

export const TEXT = 0x1
export const CLOSE = 0x8
export const PING = 0x9
export const PONG = 0xa

/** One message of up to 125 bytes in one frame (§5.2); those of clients have a mask. */
export function frame(opcode: number, payload: Buffer, mask: Buffer | null = null): Buffer {
  const head = Buffer.from([0x80 | opcode, (mask === null ? 0 : 0x80) | payload.length])
  if (mask === null) return Buffer.concat([head, payload])
  return Buffer.concat([head, mask, masked(payload, mask)])
}

/** Reads a whole frame. */
export function parseFrame(bytes: Buffer): {
  opcode: number
  isMasked: boolean
  payload: Buffer
} {
  const [first = 0, second = 0] = bytes
  const isMasked = second >= 0x80
  const start = isMasked ? 6 : 2
  const payload = bytes.subarray(start, start + (second & 0x7f))
  return {
    opcode: first & 0x0f,
    isMasked,
    payload: isMasked ? masked(payload, bytes.subarray(2, 6)) : payload
  }
}

function masked(payload: Buffer, mask: Buffer): Buffer {
  return Buffer.from(payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0)))
}

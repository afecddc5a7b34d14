import { createHash } from 'node:crypto'

/** Bytes of which no two pieces are the same. */
export function patternOf(size: number): Buffer {
  const bytes = Buffer.alloc(size)
  for (let i = 0; i + 4 <= size; i += 4) bytes.writeUInt32LE((i * 2654435761) >>> 0, i)
  return bytes
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The body of a request that a scripted server has got; a chunked one is joined. */
export function bodyOf(request = ''): Buffer {
  const start = request.indexOf('\r\n\r\n') + 4
  const bytes = Buffer.from(request.slice(start), 'latin1')
  if (!/\r\nTransfer-Encoding: chunked\r\n/.test(request.slice(0, start))) return bytes
  const pieces: Buffer[] = []
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = parseInt(bytes.toString('latin1', at, lineEnd), 16)
    if (!(size > 0)) return Buffer.concat(pieces)
    pieces.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
}

/** A request with a body and its length. */
export function upload(method: string, body: Buffer, fields = ''): Buffer {
  const head = `${method} / HTTP/1.1\r\nHost: a\r\n${fields}Content-Length: ${body.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), body])
}

/** The same chunked, in chunks of so many bytes. */
export function chunkedUpload(method: string, body: Buffer, size = 50_000): Buffer {
  const pieces: Buffer[] = [
    Buffer.from(`${method} / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`)
  ]
  for (let at = 0; at < body.length; at += size) {
    const chunk = body.subarray(at, at + size)
    pieces.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'))
  }
  return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')])
}

import type { Socket } from 'node:net'
import { getSystemErrorName } from 'node:util'

/**
 * A door past the streams of Node 20 to 24, for text that fits into the kernel's buffer at once. A
 * write through a stream makes a request object, a callback and a tick of the event loop even when
 * the system call has done all the work by the time it returns: about 1.5 µs of 23 µs per request
 * proxied, twice. Node 26 writes like this by itself, and there the door stays shut.
 *
 * It stands on three private things of Node: `Socket._handle`, its methods `writeLatin1String` and
 * `writeBuffer`, and the class of the request object, which is seen in a write that Node makes by
 * itself. Where one of them is missing or different, everything is written through the stream.
 */

/** Node's request object for one write. It is only used, and used up, if the write takes time. */
interface WriteRequest {
  oncomplete: ((status: number) => void) | null
  buffer: string | Buffer | null
}

/** What is used of Node's handle of a TCP connection. */
interface TcpHandle {
  /** Returns 0 or a negative errno. */
  writeLatin1String(request: WriteRequest | null, text: string): number
  writeBuffer(request: WriteRequest, bytes: Buffer): number
  /** Bytes that the kernel has not taken yet. */
  readonly writeQueueSize: number
}

let requestClass: (new () => WriteRequest) | 'unknown' | 'none' = 'unknown'
let spare: WriteRequest | null = null

/** Whether the door is open, as far as it was tried. */
export function canWriteDirectly(): boolean {
  return requestClass !== 'none' && requestClass !== 'unknown'
}

/** How a direct write went: all is with the kernel, the rest follows later, or nothing was done. */
export type DirectWrite = 'sent' | 'pending' | 'not-possible'

/**
 * Writes latin1 text or bytes to a connected socket whose stream has nothing waiting. Bytes must not
 * change while the write is `pending`.
 * @param onWritten called after `pending`, once the rest has left or the socket is broken
 */
export function writeDirectly(
  socket: Socket,
  data: string | Buffer,
  onWritten: () => void
): DirectWrite {
  if (requestClass === 'none') return 'not-possible'
  const handle = (socket as unknown as { readonly _handle: TcpHandle | null })._handle
  if (handle === null) return 'not-possible'
  if (requestClass === 'unknown') {
    learnFrom(handle)
    return 'not-possible'
  }
  const request = (spare ??= new requestClass())
  const status =
    typeof data === 'string'
      ? handle.writeLatin1String(request, data)
      : handle.writeBuffer(request, data)
  if (status < 0) {
    socket.destroy(writeError(status))
    return 'sent'
  }
  if (handle.writeQueueSize === 0) return 'sent'
  spare = null
  // The kernel is still to read them.
  request.buffer = data
  request.oncomplete = (later: number): void => {
    if (later < 0 && !socket.destroyed) socket.destroy(writeError(later))
    onWritten()
  }
  return 'pending'
}

/** Looks at the request object of the next write that the stream makes on this handle. */
function learnFrom(handle: TcpHandle): void {
  requestClass = 'none'
  if (typeof handle.writeLatin1String !== 'function') return
  if (typeof handle.writeBuffer !== 'function' || typeof handle.writeQueueSize !== 'number') return
  const write = handle.writeLatin1String.bind(handle)
  // A method of the handle's own hides the one of its class for the time of one call.
  handle.writeLatin1String = (request, text): number => {
    Reflect.deleteProperty(handle, 'writeLatin1String')
    if (request !== null) requestClass = request.constructor as new () => WriteRequest
    return write(request, text)
  }
}

function writeError(status: number): Error {
  const code = getSystemErrorName(status)
  return Object.assign(new Error(`write ${code}`), { code, errno: status, syscall: 'write' })
}

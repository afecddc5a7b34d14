import type { SocketUser, TcpSocket } from './tcp/socket.js'

/** An accepted connection that waits, and what it came in by. */
interface Waiting<E> {
  readonly socket: TcpSocket
  readonly entrance: E
}

/**
 * Accepted connections for which there is no room yet. They are not read, as if they still were in
 * the kernel's queue; those beyond the bound are closed.
 */
export class WaitingRoom<E> {
  readonly #onLeft: () => void
  readonly #waiting = new Set<Waiting<E>>()

  /** @param onLeft called when a connection that waits is closed */
  constructor(onLeft: () => void) {
    this.#onLeft = onLeft
  }

  get size(): number {
    return this.#waiting.size
  }

  /** @param capacity how many may wait */
  hold(socket: TcpSocket, entrance: E, capacity: number): void {
    if (this.#waiting.size >= capacity) {
      socket.destroy()
      return
    }
    const waiting = { socket, entrance }
    this.#waiting.add(waiting)
    socket.user = new Leaver(() => {
      this.#waiting.delete(waiting)
      this.#onLeft()
    })
    socket.pause()
  }

  /** Takes out the connection that has waited longest; it is still paused. */
  takeFirst(): Waiting<E> | null {
    for (const waiting of this.#waiting) {
      this.#waiting.delete(waiting)
      return waiting
    }
    return null
  }

  /** Closes all. */
  clear(): void {
    for (const { socket } of this.#waiting) socket.destroy()
  }
}

/** Hears of a paused connection nothing but its end. */
class Leaver implements SocketUser {
  readonly onClose: () => void

  constructor(onClose: () => void) {
    this.onClose = onClose
  }

  onConnect(): void {
    // It was connected when it was accepted.
  }
  onData(): void {
    // It is paused.
  }
  onEnd(): void {
    // It is paused.
  }
  onDrain(): void {
    // Nothing is written to it.
  }
  onError(): void {
    // `onClose` follows.
  }
}

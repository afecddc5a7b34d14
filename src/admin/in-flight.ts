import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { HttpProblem } from './problem.js'

/** Requests of one entrance that are being answered at once, event streams among them. */
const MAX_IN_FLIGHT = 256

/**
 * Bounds what is answered at one time: one request of a connection, and so many of an entrance. Node
 * handles all requests that a client sends without reading an answer, and keeps every answer in memory.
 */
export class InFlight {
  readonly #busy = new Set<Socket>()

  /** Whether a request may be handled; a connection that has one already is cut. */
  begin({ socket }: IncomingMessage, response: ServerResponse): boolean {
    if (socket.destroyed) return false
    if (this.#busy.has(socket)) {
      socket.destroy()
      return false
    }
    this.#busy.add(socket)
    const end = (): void => {
      this.#busy.delete(socket)
    }
    response.on('finish', end)
    response.on('close', end)
    return true
  }

  /** @throws {HttpProblem} when there are too many, this one included */
  checkRoom(): void {
    if (this.#busy.size <= MAX_IN_FLIGHT) return
    const headers = { 'Retry-After': '1', Connection: 'close' }
    throw new HttpProblem('TSHA_E_TOO_MANY', `${MAX_IN_FLIGHT} requests at once`, { headers })
  }
}

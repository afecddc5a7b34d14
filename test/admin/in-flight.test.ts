import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import t from 'tap'
import { InFlight } from '../../src/admin/in-flight.js'

class FakeSocket {
  destroyed = false
  destroy(): void {
    this.destroyed = true
  }
}

function requestOn(socket: FakeSocket): IncomingMessage {
  return { socket } as unknown as IncomingMessage
}

function response(): ServerResponse {
  return new EventEmitter() as unknown as ServerResponse
}

t.test('a connection has one request at a time', (t) => {
  const inFlight = new InFlight()
  const socket = new FakeSocket()
  const first = response()
  t.equal(inFlight.begin(requestOn(socket), first), true)
  first.emit('finish')
  t.equal(inFlight.begin(requestOn(socket), response()), true, 'after the answer comes the next')
  t.equal(inFlight.begin(requestOn(socket), response()), false)
  t.equal(socket.destroyed, true, 'beside it there is none')
  t.equal(inFlight.begin(requestOn(socket), response()), false)
  t.end()
})

t.test('an entrance has 256, and room again when one is answered', (t) => {
  const inFlight = new InFlight()
  const responses = Array.from({ length: 256 }, () => {
    const each = response()
    inFlight.begin(requestOn(new FakeSocket()), each)
    return each
  })
  inFlight.checkRoom()
  const last = response()
  inFlight.begin(requestOn(new FakeSocket()), last)
  t.throws(
    () => {
      inFlight.checkRoom()
    },
    { code: 'TSHA_E_TOO_MANY' }
  )
  responses[0]?.emit('close')
  t.doesNotThrow(() => {
    inFlight.checkRoom()
  })
  t.end()
})

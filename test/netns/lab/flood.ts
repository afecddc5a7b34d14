/**
 * Puts the same frame on an interface again and again, for tests that fork it:
 * `flood.js INTERFACE_INDEX FRAMES_A_SECOND SECONDS HEX`.
 */
import { openPacketSocket } from '../../../src/linux/packet-socket.js'

const [interfaceIndex, rate, seconds, hex] = process.argv.slice(2)
const socket = openPacketSocket(Number(interfaceIndex))
const frame = Buffer.from(hex ?? '', 'hex')
const from = performance.now()
let sent = 0
for (;;) {
  const elapsed = (performance.now() - from) / 1000
  if (elapsed > Number(seconds)) break
  while (sent < elapsed * Number(rate)) {
    sent += 1
    try {
      socket.send(frame)
    } catch {
      // The queue is full: that is flood enough.
    }
  }
}

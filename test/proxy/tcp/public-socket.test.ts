import { Server, type Socket } from 'node:net'
import t from 'tap'
import { canWriteDirectly } from '../../../src/proxy/tcp/direct-write.js'
import { pairs, tellStory } from './story.js'

/** The private things of Node that both doors look for. */
interface Private {
  _handle: object | null
}

let accepted = 0

// A Node without them: each is hidden at the moment when a door looks.
const { listen } = Server.prototype as { listen: (this: Server, ...args: unknown[]) => Server }
Server.prototype.listen = function (this: Server & Private, ...args: unknown[]): Server {
  let handle: object | null = null
  this.prependListener('listening', () => {
    handle = this._handle
    this._handle = null
  })
  this.on('listening', () => {
    this._handle = handle
  })
  this.prependListener('connection', (socket: Socket & Private) => {
    accepted++
    if (socket._handle === null) throw new Error('no handle to hide something of')
    Object.defineProperty(socket._handle, 'writeQueueSize', { value: undefined })
  })
  return listen.apply(this, args)
}

tellStory()

t.test('all of that went through the public interface', (t) => {
  t.equal(canWriteDirectly(), false)
  t.equal(accepted, pairs)
  t.ok(pairs > 0)
  t.end()
})

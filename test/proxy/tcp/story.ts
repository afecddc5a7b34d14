import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import t from 'tap'
import { createAcceptor } from '../../../src/proxy/tcp/acceptor.js'
import type { SocketUser, TcpSocket } from '../../../src/proxy/tcp/socket.js'
import { Random } from '../../fuzz/random.js'

/** Notes what it is told. */
class Notes implements SocketUser {
  readonly events: string[] = []
  received = ''
  #wake: () => void = () => undefined

  onConnect(): void {
    this.#note('connect')
  }
  onData(buffer: Buffer, length: number): void {
    this.received += buffer.toString('latin1', 0, length)
    this.#note('data')
  }
  onEnd(): void {
    this.#note('end')
  }
  onDrain(): void {
    this.#note('drain')
  }
  onError(): void {
    this.#note('error')
  }
  onClose(): void {
    this.#note('close')
  }

  /** Resolves when `isSo` holds. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  #note(event: string): void {
    this.events.push(event)
    this.#wake()
  }
}

/** The two ends of one connection: the accepted one is what is tested. */
interface Pair {
  readonly accepted: TcpSocket
  readonly notes: Notes
  readonly other: Socket
  readonly close: () => void
}

/** Connections that were accepted for the story. */
export let pairs = 0

async function connectPair(): Promise<Pair> {
  pairs++
  const accepted: TcpSocket[] = []
  const server = createAcceptor((socket) => accepted.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const other = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
  other.on('error', () => undefined)
  other.write('hello')
  await once(other, 'connect')
  while (accepted.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const [socket] = accepted
  if (socket === undefined) throw new Error('nothing was accepted')
  const notes = new Notes()
  socket.user = notes
  await notes.until(() => notes.received === 'hello')
  const close = (): void => {
    socket.destroy()
    other.destroy()
    server.close()
  }
  return { accepted: socket, notes, other, close }
}

/** Pieces of every size, from one byte to more than a scratch buffer. */
function randomPiece(random: Random): Buffer {
  const limit = random.pick([10, 1000, 20_000, 70_000, 200_000])
  return Buffer.alloc(1 + random.below(limit), 'abcdefghijklmnop'.charCodeAt(random.below(16)))
}

/** Writes the same random pieces, each in one of the ways there are; returns the sum of all. */
function writeAll(socket: TcpSocket, random: Random, pieces: number): string {
  const sum = createHash('sha256')
  const reused = Buffer.alloc(200_000)
  for (let i = 0; i < pieces; i++) {
    const piece = randomPiece(random)
    sum.update(piece)
    switch (random.below(4)) {
      case 0:
        socket.write(piece.toString('latin1'))
        break
      case 1:
        socket.write(piece)
        break
      case 2:
        socket.cork()
        socket.write(piece.subarray(0, 5).toString('latin1'))
        socket.write(piece.subarray(5))
        socket.uncork()
        break
      default: {
        const middle = reused.subarray(0, Math.max(1, piece.length - 1))
        piece.copy(middle)
        socket.writeCopy(middle, piece.subarray(middle.length).toString('latin1'))
        reused.fill('!')
      }
    }
  }
  return sum.digest('hex')
}

async function sumOf(socket: Socket): Promise<string> {
  const sum = createHash('sha256')
  socket.on('data', (chunk) => sum.update(chunk))
  await once(socket, 'end')
  return sum.digest('hex')
}

/** What holds for a connection whether or not it can write past its stream. */
export function tellStory(): void {
  t.test('what is written arrives once, whole and in order', async (t) => {
    for (let seed = 1; seed <= 20; seed++) {
      const { accepted, other, close } = await connectPair()
      const written = writeAll(accepted, new Random(seed), 40)
      accepted.end()
      t.equal(await sumOf(other), written, `seed ${seed}`)
      close()
    }
  })

  t.test('a reader that stands still is waited for, and then gets everything', async (t) => {
    const { accepted, notes, other, close } = await connectPair()
    other.pause()
    let written = ''
    while (!accepted.writableNeedDrain) {
      written += 'x'.repeat(10_000)
      accepted.write('x'.repeat(10_000))
      await new Promise((resolve) => setImmediate(resolve))
    }
    t.ok(accepted.isBlocked)
    t.notOk(notes.events.includes('drain'))
    let arrived = 0
    other.on('data', (chunk: Buffer) => (arrived += chunk.length))
    other.resume()
    await notes.until(() => notes.events.includes('drain'))
    t.notOk(accepted.writableNeedDrain)
    t.ok(accepted.write('end'), 'it may go on')
    accepted.destroySoon()
    await once(other, 'end')
    t.equal(arrived, written.length + 3)
    close()
  })

  t.test(
    'bytes that are only valid during the call survive a reader that stands still',
    async (t) => {
      const { accepted, other, close } = await connectPair()
      other.pause()
      const reused = Buffer.alloc(60_000)
      const sum = createHash('sha256')
      for (let i = 0; i < 200; i++) {
        reused.fill(i)
        sum.update('before').update(reused).update('after')
        accepted.write('before')
        accepted.writeCopy(reused, 'after')
      }
      accepted.end()
      other.resume()
      t.equal(await sumOf(other), sum.digest('hex'))
      close()
    }
  )

  t.test('what waits for one reader is not overwritten by what another is sent', async (t) => {
    const [slow, quick] = [await connectPair(), await connectPair()]
    slow.other.pause()
    quick.other.resume()
    const sum = createHash('sha256')
    for (let i = 0; !slow.accepted.writableNeedDrain; i++) {
      sum.update(Buffer.alloc(50_000, i))
      slow.accepted.writeCopy(Buffer.alloc(50_000, i), '')
    }
    quick.accepted.writeCopy(Buffer.alloc(60_000, '!'), '')
    slow.accepted.end()
    slow.other.resume()
    t.equal(await sumOf(slow.other), sum.digest('hex'))
    slow.close()
    quick.close()
  })

  t.test('closing soon sends what waits for the end of the turn', async (t) => {
    const { accepted, other, close } = await connectPair()
    accepted.write('good')
    accepted.write('bye')
    accepted.destroySoon()
    const [chunk] = (await once(other, 'data')) as [Buffer]
    t.equal(chunk.toString(), 'goodbye', 'in one write')
    close()
  })

  t.test('the other side ends: the end is told, and writing still works', async (t) => {
    const { accepted, notes, other, close } = await connectPair()
    other.end()
    await notes.until(() => notes.events.includes('end'))
    t.ok(accepted.isUsable)
    accepted.write('answer')
    accepted.end()
    const [chunk] = (await once(other, 'data')) as [Buffer]
    t.equal(chunk.toString(), 'answer')
    await notes.until(() => notes.events.includes('close'))
    t.same(notes.events, ['data', 'end', 'close'])
    close()
  })

  t.test('a reset is an error and then the close, also while bytes wait', async (t) => {
    const { accepted, notes, other, close } = await connectPair()
    other.pause()
    while (!accepted.writableNeedDrain) {
      accepted.write('x'.repeat(10_000))
      await new Promise((resolve) => setImmediate(resolve))
    }
    other.resetAndDestroy()
    await notes.until(() => notes.events.includes('close'))
    t.same(notes.events, ['data', 'error', 'close'])
    t.notOk(accepted.isUsable)
    t.doesNotThrow(() => accepted.write('nobody hears'))
    close()
  })

  t.test('a connection that is paused reads nothing until it is resumed', async (t) => {
    const { accepted, notes, other, close } = await connectPair()
    accepted.pause()
    other.write('later')
    await new Promise((resolve) => other.write('!', resolve))
    accepted.resume()
    await notes.until(() => notes.received === 'hellolater!')
    t.equal(notes.received, 'hellolater!')
    close()
  })
}

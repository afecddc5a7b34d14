import { tmpdir } from 'node:os'
import t from 'tap'
import { BodyBudget } from '../../../src/proxy/body/budget.js'
import { ChunkQueue } from '../../../src/proxy/body/chunk-queue.js'
import type { RequestBody } from '../../../src/proxy/body/request-body.js'
import { patternOf, sha256 } from '../support/bodies.js'
import { BodyUnderTest, FilesUnderTest, until } from './support.js'

const KIB = 1024
const MIB = 1024 * 1024

function bodyOf(budget: BodyBudget): RequestBody {
  return new BodyUnderTest(new FilesUnderTest(tmpdir(), budget).files).body
}

function drain(body: RequestBody): string[] {
  const pieces: string[] = []
  for (let piece = body.next(); piece !== null; piece = body.next()) pieces.push(piece.toString())
  return pieces
}

t.test('off: what the worker has no room for is not kept, but still sent', (t) => {
  const budget = new BodyBudget(10)
  const first = bodyOf(budget)
  const second = bodyOf(budget)
  first.begin(MIB, false)
  second.begin(MIB, false)
  first.push(Buffer.from('12345678'))
  second.push(Buffer.from('abc'))
  t.same([first.isReplayable, second.isReplayable], [true, false])
  t.equal(second.next()?.toString(), 'abc')
  second.rewind()
  t.equal(second.next(), null, 'sent and gone')
  t.equal(first.next()?.toString(), '12345678')
  first.rewind()
  t.equal(first.next()?.toString(), '12345678', 'kept for the next server')
  first.release()
  t.ok(budget.take(10), 'and its memory given back')
  t.equal(budget.passing, 3)
  second.settle()
  t.equal(budget.passing, 0, 'what has left is not counted')
  t.end()
})

t.test('off: the begin of a body is kept up to body_buffer_size', (t) => {
  const body = bodyOf(new BodyBudget())
  body.push(Buffer.from('abcd'))
  body.begin(6, false)
  t.equal(body.isReady, true)
  body.push(Buffer.from('ef'))
  t.same([body.isReplayable, body.isFull], [true, true])
  t.same(drain(body), ['abcd', 'ef'])
  body.push(Buffer.from('g'))
  t.equal(body.isReplayable, false)
  t.same(drain(body), ['g'])
  body.release()
  t.end()
})

t.test('a body that comes byte by byte is kept in few pieces, and sent whole', (t) => {
  const body = bodyOf(new BodyBudget())
  const text = 'abcdefghij'.repeat(10_000)
  for (const byte of text) body.push(Buffer.from(byte))
  const pieces = drain(body)
  t.equal(pieces.length, 26, 'the first byte and blocks of 4096')
  t.equal(pieces.join(''), text)
  body.push(Buffer.from('k'))
  body.push(Buffer.from('l'))
  t.same(drain(body), ['kl'], 'what was sent is not sent twice')
  t.equal(body.hasNext, false)
  body.rewind()
  t.equal(drain(body).join(''), `${text}kl`, 'but is there for the next server')
  body.release()
  t.end()
})

t.test('off: a body that is given up on while its last block grows goes on where it was', (t) => {
  const body = bodyOf(new BodyBudget(3))
  body.begin(MIB, false)
  body.push(Buffer.from('a'))
  body.push(Buffer.from('b'))
  t.same([body.next()?.toString(), body.next()?.toString()], ['a', 'b'])
  body.push(Buffer.from('c'))
  body.push(Buffer.from('d'))
  t.equal(body.isReplayable, false)
  body.rewind()
  t.equal(body.next()?.toString(), 'cd')
  t.equal(body.hasNext, false)
  body.push(Buffer.from('e'))
  t.equal(body.next()?.toString(), 'e')
  body.release()
  t.end()
})

t.test('on: a body that is here whole is ready at once, whatever its size', (t) => {
  const body = bodyOf(new BodyBudget())
  body.push(Buffer.alloc(64 * KIB))
  body.end()
  body.begin(KIB, true)
  t.same([body.isReady, body.isSpooled, body.isReplayable], [true, false, true])
  body.release()
  t.end()
})

t.test(
  'on: in memory up to body_buffer_size, beyond it in a file that is read again',
  async (t) => {
    const budget = new BodyBudget()
    const { files, lines } = new FilesUnderTest(tmpdir(), budget)
    const under = new BodyUnderTest(files)
    const { body } = under
    const sent = patternOf(5 * MIB)
    body.begin(MIB, true)
    for (let at = 0; at < sent.length; at += 64 * KIB) {
      await until(() => !body.isFull, 'room')
      t.equal(body.isReady, false)
      // Small pieces are joined in blocks, also while these are written.
      body.push(Buffer.from(sent.subarray(at, at + 60 * KIB)))
      for (let small = at + 60 * KIB; small < at + 64 * KIB; small += 512) {
        body.push(Buffer.from(sent.subarray(small, small + 512)))
      }
      if (at === MIB - 64 * KIB) t.equal(body.isSpooled, false, '1 MiB is in memory')
    }
    t.equal(body.isSpooled, true)
    body.end()
    await until(() => body.isReady, 'everything in the file')
    t.same(under.told, ['ready'])
    t.equal(files.open, 1)
    t.ok(budget.take(64 * MIB), 'nothing of it is in memory')
    budget.give(64 * MIB)
    t.equal(budget.passing, 0)
    for (const attempt of ['first', 'second']) {
      body.rewind()
      t.equal(sha256(await under.drain()), sha256(sent), attempt)
    }
    t.ok(budget.passing <= 64 * KIB, 'one piece at a time')
    body.release()
    t.equal(budget.passing, 0)
    t.equal(files.open, 0)
    t.same(lines, [])
  }
)

t.test('on: a client waits while 256 KiB are not on the disk', async (t) => {
  const { files } = new FilesUnderTest(tmpdir())
  const { body } = new BodyUnderTest(files)
  body.begin(KIB, true)
  body.push(Buffer.alloc(256 * KIB - 1))
  t.equal(body.isFull, false)
  body.push(Buffer.alloc(1))
  t.equal(body.isFull, true)
  await until(() => !body.isFull, 'the disk')
  body.release()
})

t.test('what comes while a block is written to the disk is not lost with it', (t) => {
  const queue = new ChunkQueue()
  for (const text of ['ab', 'c', 'd']) queue.push(Buffer.from(text))
  const front = queue.front(100)
  queue.push(Buffer.from('e'))
  t.same(front.map(String), ['ab', 'cd'])
  queue.drop(4)
  t.equal(queue.waiting, 1)
  t.equal(queue.next(true)?.toString(), 'e')
  t.end()
})

t.test('on: when the worker has no memory left, the first byte goes to the file', async (t) => {
  const budget = new BodyBudget(0)
  const { files } = new FilesUnderTest(tmpdir(), budget)
  const under = new BodyUnderTest(files)
  under.body.push(Buffer.from('abc'))
  under.body.begin(MIB, true)
  under.body.push(Buffer.from('def'))
  under.body.end()
  await until(() => under.body.isReady, 'the file')
  t.equal(budget.passing, 0)
  t.equal((await under.drain()).toString(), 'abcdef')
  under.body.release()
})

t.test('after the begin of the response a file is closed as soon as it was sent', async (t) => {
  const { files } = new FilesUnderTest(tmpdir(), new BodyBudget(0))
  const under = new BodyUnderTest(files)
  under.body.begin(MIB, true)
  under.body.push(Buffer.from('abcdef'))
  under.body.end()
  await until(() => under.body.isReady, 'the file')
  under.body.forget()
  t.equal(files.open, 1)
  t.equal((await under.drain()).toString(), 'abcdef')
  under.body.settle()
  t.equal(files.open, 0)
  under.body.release()
})

t.test('too much on its way stops every client; when half has left they go on', async (t) => {
  const budget = new BodyBudget(0, 100 * KIB)
  const { files } = new FilesUnderTest(tmpdir(), budget)
  const bodies = Array.from({ length: 1000 }, () => new BodyUnderTest(files))
  for (const { body } of bodies) body.begin(MIB, true)
  let peak = 0
  for (let left = 4 * 1000; left > 0;) {
    for (const { body } of bodies) {
      if (body.isFull || body.received >= 4 * KIB) continue
      body.push(Buffer.alloc(KIB, 'x'))
      left--
      peak = Math.max(peak, budget.passing)
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal(peak, 101 * KIB)
  for (const { body } of bodies) body.end()
  await until(() => bodies.every(({ body }) => body.isReady), 'all on the disk')
  t.same([budget.passing, budget.isTight, files.open], [0, false, 1000])
  for (const { body } of bodies) body.release()
  t.equal(files.open, 0)
})

t.test(
  'a body that is let go of while its file is made, written or read leaves nothing',
  async (t) => {
    const budget = new BodyBudget(0)
    const { files } = new FilesUnderTest(tmpdir(), budget)
    for (const phase of ['made', 'written', 'read']) {
      const under = new BodyUnderTest(files)
      under.body.begin(MIB, true)
      under.body.push(Buffer.alloc(128 * KIB))
      if (phase !== 'made') {
        await until(() => files.open === 1, 'the file')
        under.body.end()
      }
      if (phase === 'read') {
        await until(() => under.body.isReady, 'the body')
        under.body.settle()
      }
      const before = [...under.told]
      under.body.release()
      t.same([files.open, budget.passing], [0, 0], phase)
      for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
      t.same(under.told, before, 'its owner hears nothing more')
    }
  }
)

import t from 'tap'
import { Intake } from '../../src/proxy/downstream/intake.js'

const EMPTY_LINES = Buffer.from('\r\n'.repeat(32_768))
const REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')

t.test('empty lines before a request take no memory, however many come', (t) => {
  const intake = new Intake()
  for (let i = 0; i < 10; i++) {
    intake.keep(EMPTY_LINES)
    t.equal(intake.skipEmptyLines(), false)
    t.equal(intake.length, 0)
  }
  intake.keep(Buffer.from('\r'))
  t.equal(intake.skipEmptyLines(), true, 'a CR may still get its LF')
  intake.keep(Buffer.from('\n'))
  intake.keep(REQUEST)
  t.equal(intake.skipEmptyLines(), true)
  t.match(intake.read(), { kind: 'request', target: '/' })
  t.equal(intake.length, 0)
  t.end()
})

t.test('what comes behind a head stays', (t) => {
  const intake = new Intake()
  intake.keep(Buffer.concat([REQUEST, Buffer.from('body')]))
  t.match(intake.read(), { kind: 'request' })
  t.equal(intake.length, 4)
  t.equal(intake.takeRest()?.toString(), 'body')
  t.equal(intake.takeRest(), null)
  t.end()
})

t.test('the first line is known as far as it has come', (t) => {
  const intake = new Intake()
  t.equal(intake.firstLine, '')
  intake.keep(Buffer.from('GET /a'))
  t.equal(intake.firstLine, 'GET /a')
  intake.keep(Buffer.from(' HTTP/1.1\r\nHo'))
  t.equal(intake.firstLine, 'GET /a HTTP/1.1')
  t.end()
})

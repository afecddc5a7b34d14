import t from 'tap'
import { readAdminMessage } from '../../../src/director/admin/admin-inbox.js'

t.test('what the admin process may say is read, and nothing that it adds', (t) => {
  const extra = { prototype: 1 }
  const command = { action: 'reload' }
  const messages = [
    { type: 'ready' },
    { type: 'listening', where: ['/run/tsha/admin.sock', 'https://[::1]:8443'] },
    { type: 'refused', where: '/run/a', message: 'EACCES' },
    { type: 'warning', message: 'a token' },
    { type: 'status', id: 7 },
    { type: 'command', id: 8, command, by: 'the socket' }
  ]
  for (const message of messages)
    t.strictSame(readAdminMessage({ ...message, ...extra }), message, message.type)
  t.end()
})

t.test('anything else is none', (t) => {
  const wrong = [
    null,
    7,
    'status',
    [],
    {},
    { type: 'STATUS', id: 1 },
    { type: 'toString' },
    { type: 'listening' },
    { type: 'listening', where: '/etc/passwd' },
    { type: 'listening', where: ['a', 7] },
    { type: 'listening', where: ['a', 'b', 'c', 'd', 'e'] },
    { type: 'refused', where: {}, message: 'x' },
    { type: 'warning', message: null },
    { type: 'status' },
    { type: 'status', id: '1' },
    { type: 'status', id: 1.5 },
    { type: 'command', id: 1, command: null, by: 'x' },
    { type: 'command', id: 1, command: 'reload', by: 'x' },
    { type: 'command', id: 1, command: {}, by: 7 }
  ]
  for (const value of wrong) t.equal(readAdminMessage(value), null, JSON.stringify(value))
  t.end()
})

t.test('of a text no more than a line is taken', (t) => {
  t.strictSame(readAdminMessage({ type: 'warning', message: 'x'.repeat(100_000) }), {
    type: 'warning',
    message: `${'x'.repeat(1000)}…`
  })
  t.end()
})

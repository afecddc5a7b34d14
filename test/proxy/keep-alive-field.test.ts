import t from 'tap'
import { parseKeepAlive, safeIdleMs } from '../../src/proxy/http1/keep-alive.js'

t.test('RFC 2068 19.7.1.1: timeout in seconds and max are read from Keep-Alive', (t) => {
  const rows: [value: string, timeoutMs: number | null, max: number | null][] = [
    ['timeout=5', 5000, null],
    ['timeout=5, max=100', 5000, 100],
    ['MAX=1 ,\tTimeout=15', 15_000, 1],
    ['max=0', null, 0],
    ['timeout = 5', 5000, null],
    ['timeout=10, timeout=5, timeout=7', 5000, null],
    ['foo=bar, timeout=5', 5000, null],
    ['timeout=999999999', 999_999_999_000, null]
  ]
  for (const [value, timeoutMs, max] of rows) {
    t.strictSame(parseKeepAlive(value), { timeoutMs, max }, value)
  }
  t.end()
})

t.test('what is no Keep-Alive says nothing at all', (t) => {
  const values = [
    '',
    ',',
    'timeout',
    'timeout=',
    '=5',
    'timeout=5,',
    'timeout=5, max',
    'x=, timeout=5',
    'timeout=5; max=3',
    'timeout=-1',
    'timeout=+5',
    'timeout=5.5',
    'timeout=0x10',
    'timeout=1e3',
    'timeout="5"',
    'timeout=5 6',
    'timeout=5=6',
    'timeout=1000000000',
    'timeout=\u0665',
    'max=9999999999, timeout=5',
    `timeout=5, x=${'y'.repeat(300)}`
  ]
  for (const value of values) {
    t.strictSame(parseKeepAlive(value), { timeoutMs: null, max: null }, JSON.stringify(value))
  }
  t.end()
})

t.test('a connection is given up a second before its server would, never less than half', (t) => {
  const rows = [
    [0, 0],
    [1000, 500],
    [2000, 1000],
    [5000, 4000],
    [60_000, 59_000]
  ]
  for (const [timeoutMs = 0, idleMs] of rows) t.equal(safeIdleMs(timeoutMs), idleMs)
  t.end()
})

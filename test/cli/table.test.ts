import t from 'tap'
import { COLOURED, PLAIN, viewOf } from '../../src/cli/style.js'
import { cut, formatTable, wrap, type Column } from '../../src/cli/table.js'
import {
  formatBytes,
  formatExactMoment,
  formatLatency,
  formatMoment,
  formatRate,
  formatSpan,
  printable
} from '../../src/cli/words.js'

process.env['TZ'] = 'UTC'

interface Row {
  readonly name: string
  readonly size: number
  readonly note: string
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAME', cell: ({ name }) => name, least: 6 },
  { title: 'SIZE', cell: ({ size }) => String(size), align: 'right' },
  { title: 'EXTRA', cell: () => 'extra', spare: 1 },
  { title: 'NOTE', cell: ({ note }) => note, least: 5 }
]
const ROWS: readonly Row[] = [
  { name: 'first', size: 7, note: 'a note of some length' },
  { name: 'a longer name', size: 12345, note: '' }
]

t.test('a table with room has every column as wide as its widest cell', (t) => {
  t.strictSame(formatTable(COLUMNS, ROWS, { style: PLAIN, width: 80 }), [
    '  NAME            SIZE  EXTRA  NOTE',
    '  first              7  extra  a note of some length',
    '  a longer name  12345  extra'
  ])
  t.end()
})

t.test('without room cells are cut from the right, and then columns are left out', (t) => {
  t.strictSame(formatTable(COLUMNS, ROWS, { style: PLAIN, width: 44 }), [
    '  NAME            SIZE  EXTRA  NOTE',
    '  first              7  extra  a note of so…',
    '  a longer name  12345  extra'
  ])
  t.strictSame(formatTable(COLUMNS, ROWS, { style: PLAIN, width: 24 }), [
    '  NAME       SIZE  NOTE',
    '  first         7  a no…',
    '  a longe…  12345'
  ])
  t.end()
})

t.test('a column without content and a table without rows are not there', (t) => {
  const rows = [{ name: 'one', size: 1, note: '' }]
  t.strictSame(formatTable(COLUMNS, rows, { style: PLAIN, width: 80 }), [
    '  NAME  SIZE  EXTRA',
    '  one      1  extra'
  ])
  t.strictSame(formatTable(COLUMNS, [], { style: PLAIN, width: 80 }), [])
  t.end()
})

t.test('colours do not count as width', (t) => {
  const columns: readonly Column<Row>[] = [
    { title: 'NAME', cell: ({ name }) => name, paint: (_, cell) => COLOURED.bad(cell) },
    { title: 'SIZE', cell: ({ size }) => String(size), align: 'right' }
  ]
  t.strictSame(formatTable(columns, ROWS, { style: COLOURED, width: 80 }), [
    '  \u001B[2mNAME         \u001B[22m  \u001B[2m SIZE\u001B[22m',
    '  \u001B[31mfirst        \u001B[39m      7',
    '  \u001B[31ma longer name\u001B[39m  12345'
  ])
  t.end()
})

t.test('a text is wrapped at blanks and cut with an ellipsis', (t) => {
  t.strictSame(wrap('one two three four five six', 24, '  ! '), [
    '  ! one two three four',
    '    five six'
  ])
  t.equal(cut('connection refused', 10), 'connectio…')
  t.equal(cut('refused', 7), 'refused')
  t.end()
})

t.test('colours are for terminals, and not where NO_COLOR or TERM refuse them', (t) => {
  const terminal = { isTTY: true, columns: 132 }
  t.same(viewOf(terminal, { TERM: 'xterm' }), { style: COLOURED, width: 132 })
  t.same(viewOf(terminal, { TERM: 'xterm', NO_COLOR: '1' }), { style: PLAIN, width: 132 })
  t.same(viewOf(terminal, { TERM: 'xterm', NO_COLOR: '' }).style, COLOURED)
  t.same(viewOf(terminal, { TERM: 'dumb' }).style, PLAIN)
  t.same(viewOf({}, { TERM: 'xterm' }), { style: PLAIN, width: Infinity })
  t.same(viewOf({}, { COLUMNS: '100' }), { style: PLAIN, width: 100 })
  t.equal(viewOf({ isTTY: true, columns: 0 }, { TERM: 'xterm' }).width, 80)
  t.end()
})

t.test('times are told as people tell them', (t) => {
  t.strictSame([0, 42.9, 60, 303, 7506, 86_400, 273_600].map(formatSpan), [
    '0 s',
    '42 s',
    '1 min',
    '5 min 3 s',
    '2 h 5 min',
    '1 d',
    '3 d 4 h'
  ])
  const now = '2026-11-22T12:08:11.000Z'
  t.equal(formatMoment('2026-11-22T00:00:01.500Z', now), '00:00:01')
  t.equal(formatMoment('2026-11-21T23:59:59.000Z', now), 'Nov 21 23:59')
  t.equal(formatMoment('2025-06-01T08:00:00.000Z', now), '2025-06-01')
  t.equal(formatMoment('whenever', now), 'whenever')
  t.equal(formatExactMoment('2026-11-22T12:03:11.042Z'), '2026-11-22 12:03:11.042')
  t.end()
})

t.test('figures are told with as many digits as mean something', (t) => {
  t.strictSame([0, 0.01, 0.3, 12.34, 99.94, 1204.4].map(formatRate), [
    '0',
    '<0.1',
    '0.3',
    '12.3',
    '99.9',
    '1204'
  ])
  t.strictSame([null, 0.42, 9.96, 120.4, 999.6, 12_340].map(formatLatency), [
    '-',
    '0.4 ms',
    '10 ms',
    '120 ms',
    '1.0 s',
    '12.3 s'
  ])
  t.strictSame([0, 512, 1234, 34_000_000, 2e12].map(formatBytes), [
    '0 B',
    '512 B',
    '1.2 kB',
    '34 MB',
    '2.0 TB'
  ])
  t.end()
})

t.test('what others said cannot steer the terminal of whoever reads it', (t) => {
  t.equal(printable('\u001B[2Jgone\nnext\u009B1m \u202Eleft é …'), '?[2Jgone?next?1m ?left é …')
  t.end()
})

import { readFileSync } from 'node:fs'
import t from 'tap'
import { API_CODES } from '../../src/admin/problem.js'
import { CONFIG_CODES, formatProblem, REACH_CODES, SYSTEM_CODES } from '../../src/errors.js'

t.test('docs/errors.md explains every code, and no other', (t) => {
  const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
  const explained = [...page.matchAll(/^\| `(TSHA_E_[A-Z_]+)` \|/gm)].map(([, code]) => code)
  // One code may be told in several ways.
  const codes = new Set<string>([...CONFIG_CODES, ...SYSTEM_CODES, ...REACH_CODES, ...API_CODES])
  t.same(explained.toSorted(), [...codes].toSorted())
  t.end()
})

t.test('docs/errors.md tells cause and cure of every code', (t) => {
  const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
  for (const [row, code = ''] of page.matchAll(/^\| `(TSHA_E_[A-Z_]+)` \|.*$/gm)) {
    t.match(row, /^\| [^|]+ \| [^|]{20,} \| [^|]{8,} \|$/, code)
  }
  t.end()
})

t.test('a problem is told in the form that editors open', (t) => {
  t.equal(
    formatProblem({
      code: 'TSHA_E_VRID_RANGE',
      message: 'virtual_router_id 300 is out of range; use 1 to 255',
      position: { file: 'keepalived.conf', line: 22, column: 23 }
    }),
    'keepalived.conf:22:23: virtual_router_id 300 is out of range; use 1 to 255 [TSHA_E_VRID_RANGE]'
  )
  t.equal(
    formatProblem({ code: 'TSHA_E_FLAG', message: 'unknown argument: rolle' }),
    'tsha: unknown argument: rolle [TSHA_E_FLAG]'
  )
  t.end()
})

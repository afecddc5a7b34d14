import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { REASONS } from '../../src/vrrp/model.js'
import { drawStateMachine, reasonsFound } from './state-drawing.js'

const page = new URL('../../../docs/vrrp-state-machine.md', import.meta.url)
const BEGIN = '<!-- drawn from the machine: begin -->\n'
const END = '<!-- drawn from the machine: end -->'

/** Set to write the drawing instead of comparing it. */
const WRITES = process.env['TSHA_WRITE_DRAWING'] === '1'

t.test('the drawing in the documentation is what the machine does', (t) => {
  const text = readFileSync(page, 'utf8')
  const [before = '', rest = ''] = text.split(BEGIN)
  const [drawn, after = ''] = rest.split(END)
  const drawing = drawStateMachine()
  if (WRITES) writeFileSync(page, `${before}${BEGIN}${drawing}\n${END}${after}`)
  else
    t.equal(drawn, `${drawing}\n`, 'TSHA_WRITE_DRAWING=1 node dist/test/vrrp/state-drawing.test.js')
  t.end()
})

t.test('every reason is explained in the documentation, and the machine can come to it', (t) => {
  const text = readFileSync(page, 'utf8')
  const found = reasonsFound()
  for (const reason of REASONS) {
    t.ok(found.has(reason), `${reason} happens`)
    t.ok(text.includes(`\n| \`${reason}\` |`), `${reason} is explained`)
  }
  t.end()
})

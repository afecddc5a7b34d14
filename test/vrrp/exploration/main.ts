import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { CLASSES, DEEP_CLASSES } from './classes.js'
import { withTable } from './document.js'
import { exploreClass, tellViolation } from './run.js'
import { HEADING, rowOf } from './table.js'

/**
 * `npm run explore -- [--states N] [--only TEXT] [--write]`: every class of faults, and deeper ones.
 * With `--write` the table of docs/proof.md is made new.
 */

const { values } = parseArgs({
  options: {
    states: { type: 'string', default: '3000000' },
    only: { type: 'string', default: '' },
    write: { type: 'boolean', default: false }
  }
})
const maxStates = Number(values.states)
if (!(maxStates > 0)) {
  process.stderr.write('usage: npm run explore -- [--states N] [--only TEXT] [--write]\n')
  process.exit(2)
}
const classes = values.write ? CLASSES : [...CLASSES, ...DEEP_CLASSES]
const rows: string[] = []
process.stdout.write(`${HEADING.join('\n')}\n`)
for (const each of classes) {
  if (!`${each.group.name}: ${each.name}`.includes(values.only)) continue
  const exploration = exploreClass(each, maxStates)
  const row = rowOf(each, exploration)
  rows.push(row)
  process.stdout.write(`${row}\n`)
  if (exploration.found) {
    process.exitCode = 1
    process.stdout.write(`VIOLATED ${tellViolation(exploration)}\n`)
  } else if (!exploration.isComplete) {
    process.stdout.write(`ended at ${maxStates} states: not all were reached\n`)
  }
}
if (values.write && process.exitCode !== 1) {
  const path = fileURLToPath(new URL('../../../../docs/proof.md', import.meta.url))
  writeFileSync(path, withTable(readFileSync(path, 'utf8'), rows))
}

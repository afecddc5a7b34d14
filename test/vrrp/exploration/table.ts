import type { FaultClass } from './classes.js'
import type { Exploration } from './explore.js'
import type { Span } from './world.js'

const COLUMNS: readonly Span[] = ['double', 'unserved', 'unsettled', 'owed']

/** The heading of the table in docs/proof.md. */
export const HEADING: readonly string[] = [
  '| group | faults | states | transitions | two holders | nobody serves | until at rest | until announced |',
  '|---|---|--:|--:|--:|--:|--:|--:|'
]

/** One line of it: what was explored, and the longest times in whole milliseconds, rounded up. */
export function rowOf({ group, name }: FaultClass, found: Exploration): string {
  const times = COLUMNS.map((span) => `${milliseconds(found.longest[span])} ms`)
  const cells = [group.name, name, String(found.states), String(found.transitions), ...times]
  return `| ${cells.join(' | ')} |`
}

function milliseconds(time: number): number {
  return Math.ceil(time - 1e-6)
}

import type { View } from './style.js'

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => string
  /** Colours a cell that is filled up already. */
  readonly paint?: (row: Row, cell: string) => string
  readonly align?: 'right'
  /** Left out where there is no room, the highest first; absent: always shown. */
  readonly spare?: number
  /** Cut to no less than this many characters where there is no room. */
  readonly least?: number
}

const GAP = 2
const INDENT = 2

/**
 * Aligned columns with a title each, as wide as they have to be. Where they are wider than the view, columns are left out and
 * then cells are cut; a column without any content is left out in any case.
 *
 * @returns lines without their ends; none for no rows
 */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { style, width }: View
): readonly string[] {
  if (rows.length === 0) return []
  const full = columns.filter(({ cell }) => rows.some((row) => cell(row) !== ''))
  const fitting = fit(
    full.map((column) => measure(column, rows)),
    width
  )
  const lineOf = (cells: readonly string[]): string =>
    (' '.repeat(INDENT) + cells.join(' '.repeat(GAP))).trimEnd()
  return [
    lineOf(fitting.map(({ column, size }) => style.dim(pad(column.title, size, column.align)))),
    ...rows.map((row) =>
      lineOf(
        fitting.map(({ column, size }) => {
          const cell = pad(cut(column.cell(row), size), size, column.align)
          return column.paint ? column.paint(row, cell) : cell
        })
      )
    )
  ]
}

interface Measured<Row> {
  readonly column: Column<Row>
  readonly size: number
}

function measure<Row>(column: Column<Row>, rows: readonly Row[]): Measured<Row> {
  const sizes = rows.map((row) => lengthOf(column.cell(row)))
  return { column, size: Math.max(column.title.length, ...sizes) }
}

function fit<Row>(columns: readonly Measured<Row>[], width: number): readonly Measured<Row>[] {
  const leastOf = ({ column, size }: Measured<Row>): number =>
    Math.min(size, Math.max(column.least ?? size, column.title.length))
  const total = (sizes: readonly number[]): number =>
    INDENT + sizes.reduce((sum, size) => sum + size, 0) + GAP * (sizes.length - 1)
  let kept = columns
  while (total(kept.map(leastOf)) > width) {
    const ranks = kept.map(({ column }) => column.spare ?? -1)
    const highest = Math.max(...ranks)
    if (highest < 0) break
    kept = kept.filter((_, index) => ranks[index] !== highest)
  }
  let excess = total(kept.map(({ size }) => size)) - width
  // From the right: what stands there is a text for people, the names are on the left.
  return kept
    .toReversed()
    .map((measured) => {
      const given = Math.min(Math.max(0, excess), measured.size - leastOf(measured))
      excess -= given
      return { column: measured.column, size: measured.size - given }
    })
    .toReversed()
}

/** Characters, not UTF-16 units. */
function lengthOf(text: string): number {
  return Array.from(text).length
}

function pad(text: string, size: number, align: 'right' | undefined): string {
  const blank = ' '.repeat(Math.max(0, size - lengthOf(text)))
  return align === 'right' ? blank + text : text + blank
}

/** The beginning of a text, with an ellipsis where something is missing. */
export function cut(text: string, size: number): string {
  const characters = Array.from(text)
  return characters.length <= size ? text : `${characters.slice(0, size - 1).join('')}…`
}

/**
 * Breaks a text at blanks.
 * @param first what the first line begins with; the others begin with as many blanks
 */
export function wrap(text: string, width: number, first: string): readonly string[] {
  const room = Math.max(20, width - lengthOf(first))
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && lengthOf(line) + 1 + lengthOf(word) > room) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  lines.push(line)
  const rest = ' '.repeat(lengthOf(first))
  return lines.map((text, index) => (index === 0 ? first : rest) + text)
}

import { HEADING } from './table.js'

const BEGIN = '<!-- the table is written by: npm run explore -- --write -->\n'
const END = '<!-- end of the table -->'

/** The document with these lines in the place of its table. */
export function withTable(document: string, rows: readonly string[]): string {
  const begin = document.indexOf(BEGIN)
  const end = document.indexOf(END)
  if (begin < 0 || end < begin) throw new Error('docs/proof.md has no place for the table')
  const table = ['', ...HEADING, ...rows, '', ''].join('\n')
  return document.slice(0, begin + BEGIN.length) + table + document.slice(end)
}

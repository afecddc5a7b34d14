/** @import { Content, Shown } from './element.js' */
import { el } from './element.js'
import { plain } from './words.js'

/**
 * @template Row
 * @typedef {{
 *   readonly title: string,
 *   readonly cell: (row: Row) => Content | readonly Content[],
 *   readonly isNumber?: boolean
 * }} Column
 */

/**
 * How well something is; each has a colour, and a shape for those who do not see it.
 *
 * @typedef {'good' | 'calm' | 'warning' | 'bad'} Health
 */

/**
 * A word with its shape and colour.
 *
 * @param {Health} health
 * @param {string} word
 */
export function badge(health, word) {
  return el(
    'span',
    { class: `badge ${health}` },
    el('span', { class: `mark ${health}`, 'aria-hidden': 'true' }),
    word
  )
}

/**
 * A table; on a phone each row is shown as a card, in which every value has its title beside it. The
 * roles are said because such a display would take them away.
 *
 * @template Row
 * @param {string} caption
 * @param {readonly Column<Row>[]} columns the first one names the row
 * @param {readonly Row[]} rows
 * @param {(row: Row) => string} keyOf
 * @returns {Shown}
 */
export function table(caption, columns, rows, keyOf) {
  const heads = columns.map(({ title, isNumber = false }) =>
    el('th', { scope: 'col', role: 'columnheader', class: isNumber ? 'number' : null }, title)
  )
  return el(
    'table',
    { role: 'table' },
    el('caption', { class: 'hidden-text' }, caption),
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, ...heads)),
    el(
      'tbody',
      { role: 'rowgroup' },
      ...rows.map((row) =>
        el(
          'tr',
          { role: 'row', key: keyOf(row) },
          ...columns.map(({ title, cell, isNumber = false }, index) => {
            const content = cell(row)
            const children = Array.isArray(content) ? content : [content]
            const isName = index === 0
            return el(
              isName ? 'th' : 'td',
              {
                scope: isName ? 'row' : null,
                role: isName ? 'rowheader' : 'cell',
                'data-title': title,
                class: isNumber ? 'number' : null
              },
              ...children
            )
          })
        )
      )
    )
  )
}

/**
 * A button for an action (actions.js), found by the page through what it carries.
 *
 * @param {string} label
 * @param {Readonly<Record<string, string>>} order its parts: `action`, `upstream`, `peer`, `router`
 * @param {{ readonly name: string, readonly isPressed?: boolean }} options `name` is the whole of what it
 *   does, for those who do not see what is beside it
 */
export function button(label, order, { name, isPressed }) {
  const data = Object.entries(order).map(([key, value]) => [`data-${key}`, value])
  return el(
    'button',
    {
      type: 'button',
      key: Object.values(order).join('\n'),
      ...Object.fromEntries(data),
      'aria-label': plain(name),
      'aria-pressed': isPressed === undefined ? null : String(isPressed)
    },
    label
  )
}

/** @import { CheckStatus, Status, SyncGroupStatus } from '../model.js' */
/** @import { Shown } from './element.js' */
/** @import { Column } from './parts.js' */
import { el } from './element.js'
import { badge, button, table } from './parts.js'
import { moment, plain, since, span } from './words.js'

/**
 * @param {readonly CheckStatus[]} checks
 * @param {string} now
 * @returns {Shown}
 */
export function checks(checks, now) {
  if (checks.length === 0) return el('p', { class: 'note' }, 'There are no checks.')
  /** @type {readonly Column<CheckStatus>[]} */
  const columns = [
    { title: 'Check', cell: ({ kind, name }) => plain(kind === name ? kind : `${kind} ${name}`) },
    {
      title: 'Result',
      cell: ({ passes, detail }) => [
        passes === null
          ? badge('calm', 'no result yet')
          : passes
            ? badge('good', 'passes')
            : badge('bad', 'FAILS'),
        ...(detail === null ? [] : [el('span', { class: 'detail' }, plain(detail))])
      ]
    },
    { title: 'Since', cell: ({ since: from }) => (from === null ? '-' : since(from, now).slice(6)) }
  ]
  return table('Checks', columns, checks, ({ kind, name }) => `${kind} ${name}`)
}

/**
 * @param {readonly SyncGroupStatus[]} groups
 * @returns {readonly Shown[]}
 */
export function syncGroups(groups) {
  if (groups.length === 0) return []
  /** @type {readonly Column<SyncGroupStatus>[]} */
  const columns = [
    { title: 'Sync group', cell: ({ name }) => plain(name) },
    { title: 'State', cell: ({ state }) => plain(state) },
    { title: 'Members', cell: ({ members }) => plain(members.join(', ')) }
  ]
  return [table('Sync groups', columns, groups, ({ name }) => name)]
}

/**
 * What it runs with, and how the last attempt to change that went.
 *
 * @param {Pick<Status, 'configuration' | 'started_at'>} status
 * @param {string} now
 * @returns {readonly Shown[]}
 */
export function configuration({ configuration, started_at }, now) {
  const { hash, files, loaded_at, last_reload } = configuration
  const facts = [
    ['Hash', el('code', {}, plain(hash))],
    ['Files', plain(files.join(', '))],
    ['Loaded', ago(loaded_at, now)],
    ['Director started', ago(started_at, now)]
  ]
  const reload =
    last_reload === null
      ? ['none']
      : [
          badge(last_reload.ok ? 'good' : 'bad', last_reload.ok ? 'applied' : 'REFUSED'),
          ` ${ago(last_reload.at, now)}`,
          ...(last_reload.ok ? [] : ['; the old configuration stays']),
          el('ul', {}, ...last_reload.lines.map((line) => el('li', {}, plain(line))))
        ]
  return [
    el(
      'dl',
      { class: 'facts' },
      ...facts.map(([name, value]) =>
        el('div', {}, el('dt', {}, typeof name === 'string' ? name : ''), el('dd', {}, value ?? ''))
      ),
      el('div', {}, el('dt', {}, 'Last reload'), el('dd', {}, ...reload))
    ),
    button('Reload', { action: 'reload' }, { name: 'Reload the configuration' })
  ]
}

/**
 * @param {string} at
 * @param {string} now
 */
function ago(at, now) {
  const seconds = (Date.parse(now) - Date.parse(at)) / 1000
  return `${moment(at, now)} (${span(seconds)} ago)`
}

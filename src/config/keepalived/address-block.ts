import type { Draft } from './draft.js'
import type { Statement } from './parser.js'
import type { Directive, StatementReader } from './statement-reader.js'

/** Options of an address with a value, and their keys. */
const VALUES: Readonly<Record<string, string>> = {
  dev: 'interface',
  peer: 'peer',
  brd: 'broadcast',
  broadcast: 'broadcast',
  scope: 'scope',
  label: 'label'
}

const FLAGS: readonly string[] = ['noprefixroute', 'no_track']

/** Options that are not carried out: the reason. */
const REFUSED: Readonly<Record<string, string>> = {
  '-nodad': 'an address that waits for duplicate address detection is not there when it is needed',
  autojoin: 'tsha joins no groups for addresses',
  home: 'tsha has no home addresses',
  mngtmpaddr: 'tsha has no temporary addresses',
  preferred_lft:
    'tsha renews addresses, so they are preferred for ever or not at all; use forever or 0',
  use_vmac: 'tsha uses the MAC address of the interface'
}

/** `virtual_ipaddress` and `virtual_ipaddress_excluded`. */
export function addresses(key: 'addresses' | 'excluded_addresses'): Directive<Draft> {
  return {
    takes: 'block',
    read: (line, draft, reader) => {
      const path = [...draft.path, key]
      reader.place(path, line)
      draft.value[key] = (line.block ?? []).map((entry, index) => {
        reader.placeEntry([...path, index], line.keyword, entry.position)
        reader.placeEntry([...path, index, 'address'], line.keyword, entry.position)
        const options = optionsOf(entry, line.keyword, [...path, index], reader)
        return Object.keys(options).length === 0
          ? entry.keyword
          : { address: entry.keyword, ...options }
      })
    }
  }
}

function isPreferredLife(text: string | undefined): boolean {
  return text === 'forever' || text === '0'
}

function optionsOf(
  entry: Statement,
  list: string,
  path: readonly (string | number)[],
  reader: StatementReader
): Record<string, unknown> {
  const options: Record<string, unknown> = {}
  for (let at = 0; at < entry.args.length; at++) {
    const word = entry.args[at]
    if (!word) break
    const next = entry.args[at + 1]
    const key = Object.hasOwn(VALUES, word.text) ? VALUES[word.text] : undefined
    if (key !== undefined) {
      if (!next) {
        const message = `${word.text} of ${entry.keyword} has no value`
        reader.problem('TSHA_E_REQUIRED', message, word.position)
        break
      }
      options[key] = next.text
      reader.placeEntry([...path, key], word.text, next.position)
      at++
    } else if (FLAGS.includes(word.text)) {
      options[word.text] = true
    } else if (word.text === 'preferred_lft' && isPreferredLife(next?.text)) {
      options['deprecated'] = next?.text === '0'
      at++
    } else {
      const reason = Object.hasOwn(REFUSED, word.text) ? `: ${REFUSED[word.text]}` : ''
      const message = `"${word.text}" in ${list} is not supported${reason}`
      reader.problem('TSHA_E_NOT_SUPPORTED', message, word.position)
      // The words behind it may be its values.
      break
    }
  }
  return options
}

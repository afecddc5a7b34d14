import type { Draft } from './draft.js'
import type { OwnWeights } from './check-blocks.js'
import type { Statement } from './parser.js'
import type { Directive, Directives, StatementReader } from './statement-reader.js'

const WEIGHT_MAX = 253

/** The blocks that follow checks and interfaces, in an instance or a sync group. */
export function trackDirectives(weights: OwnWeights): Directives<Draft> {
  const track = (key: 'check' | 'interface'): Directive<Draft> => ({
    takes: 'block',
    read: (line, draft, reader) => {
      const entries = Array.isArray(draft.value['track']) ? (draft.value['track'] as unknown[]) : []
      draft.value['track'] = entries
      reader.place([...draft.path, 'track'], line)
      for (const entry of line.block ?? []) {
        const path = [...draft.path, 'track', entries.length]
        reader.placeEntry(path, line.keyword, entry.position)
        reader.placeEntry([...path, key], line.keyword, entry.position)
        reader.placeEntry([...path, 'weight'], 'weight', entry.position)
        const own = weights.get(`${line.keyword} ${entry.keyword}`)
        if (!own && key === 'check') {
          const message = `${line.keyword} ${entry.keyword} does not exist; define it, or remove it`
          reader.problem('TSHA_E_REFERENCE', message, entry.position)
          continue
        }
        const given = readWeight(entry, [...path, 'weight'], line.keyword, reader)
        const weight = given.weight ?? own?.weight ?? 0
        const reverse = given.reverse ?? own?.reverse ?? false
        entries.push({
          [key]: entry.keyword,
          weight: line.keyword === 'track_file' ? weight : clamp(weight, entry, reader),
          ...(reverse ? { reverse } : {})
        })
      }
    }
  })
  return {
    track_interface: track('interface'),
    track_script: track('check'),
    track_process: track('check'),
    track_file: track('check')
  }
}

/** The rest of an entry: `weight N`, with `reverse` or `noreverse` behind it. */
function readWeight(
  entry: Statement,
  path: readonly (string | number)[],
  list: string,
  reader: StatementReader
): { weight?: number | string; reverse?: boolean } {
  const [keyword, value, option, ...rest] = entry.args
  if (!keyword) return {}
  if (keyword.text !== 'weight') {
    reader.notSupportedWord(entry, 0)
    return {}
  }
  if (!value) {
    const message = `weight of ${entry.keyword} in ${list} has no value`
    reader.problem('TSHA_E_REQUIRED', message, keyword.position)
    return {}
  }
  reader.placeEntry(path, 'weight', value.position)
  if (option && !['reverse', 'noreverse'].includes(option.text)) reader.notSupportedWord(entry, 2)
  if (rest.length > 0) reader.notSupportedWord(entry, 3)
  return {
    weight: /^[+-]?\d+$/.test(value.text) ? Number(value.text) : value.text,
    ...(option ? { reverse: option.text === 'reverse' } : {})
  }
}

/** keepalived reads 254 as 253, which it once was. */
function clamp(
  weight: number | string,
  entry: Statement,
  reader: StatementReader
): number | string {
  if (typeof weight !== 'number' || Math.abs(weight) !== WEIGHT_MAX + 1) return weight
  const used = Math.sign(weight) * WEIGHT_MAX
  reader.note(`weight ${weight} of ${entry.keyword} is ${used}, as in keepalived`)
  return used
}

// lane: single - plays many networks at once and compares times of 100 ms
import t from 'tap'
import { cannotRun } from '../netns/lab/requirements.js'
import { largest, type Difference } from './matrix/compare.js'
import { FEATURES, type Feature } from './matrix/features.js'
import { PAIR_NAMES } from './matrix/judge.js'
import { isKeepalived } from './matrix/keepalived.js'
import { playAll } from './matrix/round.js'

t.setTimeout(170_000)

/** Only features that have this in their names. */
const ONLY = process.env['TSHA_FEATURE'] ?? ''
/** The rarer features too, which are played when they are asked for. */
const ALL = ONLY !== '' || process.env['TSHA_LONG'] === '1'

await t.test(
  'the interop matrix with the real keepalived',
  { skip: cannotRun('keepalived', 'tcpdump') },
  async (t) => {
    const features = FEATURES.filter(
      ({ name, isRare = false }) => name.includes(ONLY) && (ALL || !isRare)
    )
    const plays = playAll(features.filter(isPlayed))
    const table: string[] = []
    for (const feature of features) {
      const { name, since = '' } = feature
      const played = plays.get(feature)
      await t.test(name, { skip: played ? false : `needs keepalived ${since}` }, async (t) => {
        const row = (pair: string, text: string): void => {
          table.push(`${name.padEnd(32)} ${pair.padEnd(32)} ${text}`)
        }
        const judgement = await played?.catch((error: unknown) => {
          row('', 'FAILED, a story did not come to its end')
          throw error
        })
        if (!judgement) return
        const { againAfterMs } = judgement
        const again =
          againAfterMs === null
            ? ''
            : `, played again: the machine was ${againAfterMs.toFixed(0)} ms late`
        for (const pair of PAIR_NAMES) {
          await t.test(pair, (t) => {
            const found = judgement.differences[pair]
            for (const { what, ms, isAllowed } of found)
              t.ok(isAllowed, `${what}: ${ms.toFixed(0)} ms apart`)
            row(pair, `${verdict(found)}${again}`)
            t.end()
          })
        }
      })
    }
    for (const line of table) t.comment(line)
  }
)

function isPlayed({ since }: Feature): boolean {
  return since === undefined || isKeepalived(since)
}

function verdict(found: readonly Difference[]): string {
  const isGood = found.every(({ isAllowed }) => isAllowed)
  return `${isGood ? 'ok' : 'FAILED'}, at most ${largest(found).toFixed(0)} ms`
}

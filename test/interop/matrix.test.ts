import t from 'tap'
import { cannotRun } from '../netns/lab/requirements.js'
import { compare, largest } from './matrix/compare.js'
import { FEATURES, NOT_YET, type Feature } from './matrix/features.js'
import { play, type Outcome, type Products } from './matrix/play.js'

t.setTimeout(170_000)

const REFERENCE: Products = { director1: 'keepalived', director2: 'keepalived' }
const DIRECTIONS: Readonly<Record<string, Products>> = {
  'tsha master, keepalived backup': { director1: 'tsha', director2: 'keepalived' },
  'keepalived master, tsha backup': { director1: 'keepalived', director2: 'tsha' }
}
/** A network waits for timers nearly all of its time; they start so far apart that two processors do. */
const STAGGER_MS = 400

/** Every story is played at the same time, each on a network of its own. */
let launched = 0
function launch(feature: Feature, products: Products): Promise<readonly Outcome[]> {
  const delayMs = STAGGER_MS * launched++
  const outcomes = new Promise((resolve) => setTimeout(resolve, delayMs)).then(() =>
    play(feature, products)
  )
  outcomes.catch(() => {
    // The test that waits for it tells.
  })
  return outcomes
}

const why = cannotRun('keepalived', 'tcpdump')
const table: string[] = []

await t.test('the interop matrix with the real keepalived', { skip: why }, async (t) => {
  const only = process.env['TSHA_FEATURE']
  const plays = FEATURES.filter(({ name }) => only === undefined || only === name).map(
    (feature) => ({
      feature,
      reference: launch(feature, REFERENCE),
      directions: Object.entries(DIRECTIONS).map(([name, products]) => {
        const isDone = NOT_YET[feature.name] === undefined
        return { name, products, outcomes: isDone ? launch(feature, products) : null }
      })
    })
  )
  for (const { feature, reference, directions } of plays) {
    await t.test(feature.name, async (t) => {
      const wanted = await reference
      t.ok(wanted.length > 0, `two keepalived play ${wanted.length} outcomes`)
      for (const { name, products, outcomes } of directions) {
        const todo = NOT_YET[feature.name] ?? false
        table.push(row(feature.name, name, todo === false ? 'FAILED' : `todo: ${todo}`))
        await t.test(name, { todo }, async (t) => {
          // `hand_over: keepalived` is the manner of keepalived itself.
          const isOwnManner = feature.tshaYaml === undefined
          const found = compare(
            wanted,
            (await outcomes) ?? [],
            ({ step }) =>
              isOwnManner && step.givenBy !== undefined && products[step.givenBy] === 'tsha'
          )
          for (const { what, ms, isAllowed } of found)
            t.ok(isAllowed, `${what}: ${ms.toFixed(0)} ms`)
          if (found.every(({ isAllowed }) => isAllowed))
            table.splice(
              -1,
              1,
              row(feature.name, name, `ok, at most ${largest(found).toFixed(0)} ms`)
            )
        })
      }
    })
  }
  for (const line of table) t.comment(line)
})

function row(feature: string, direction: string, verdict: string): string {
  return `${feature.padEnd(32)} ${direction.padEnd(32)} ${verdict}`
}

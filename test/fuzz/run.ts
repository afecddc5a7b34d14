import {
  compareRequests,
  compareResponses,
  type Outcome,
  type RequestCase,
  type ResponseCase,
  type Verdict
} from './compare.js'
import { cuts, requestStream, responseStream, withBareLf } from './grammar.js'
import { Random } from './random.js'
import { RULES, type Rules } from './reader.js'
import { shrink } from './shrink.js'

/** Which of the two directions is compared. */
export type Side = 'requests' | 'responses'

/** What a run found. */
export interface Report {
  readonly seed: number
  cases: number
  /** Messages that both understood alike. */
  messages: number
  readonly verdicts: Record<Verdict, number>
  /** The first differences, in words, with their bytes made small; empty if there is none. */
  readonly finds: string[]
  /** Index of the case of the first find, -1 without. */
  firstFind: number
}

/** How long a run goes on. */
export interface RunOptions {
  readonly seed: number
  readonly cases: number
  /** Milliseconds after which it ends before all cases were run. */
  readonly limitMs?: number
  readonly rules?: Rules
  /** How many differences end it; 1 by default. */
  readonly finds?: number
}

/** After so many cases the loop turns, so that what the parsers let go of is freed. */
const CASES_A_TURN = 200

/** The requests of one case. */
export function requestCase(seed: number, index: number, rules = RULES): RequestCase {
  const random = Random.ofCase(seed, index)
  const strict = requestStream(random)
  const text = rules.acceptBareLf ? withBareLf(random, strict) : strict
  return { text, places: cuts(random, text.length) }
}

/** The response of one case. */
export function responseCase(seed: number, index: number, rules = RULES): ResponseCase {
  const random = Random.ofCase(seed, index)
  const method = random.pick(['GET', 'GET', 'GET', 'POST', 'HEAD'])
  const strict = responseStream(random, method)
  const text = rules.acceptBareLf ? withBareLf(random, strict) : strict
  return { text, places: cuts(random, text.length), method, isEnded: random.oneIn(2) }
}

/** Compares many cases until a difference is found. */
export async function run(side: Side, options: RunOptions): Promise<Report> {
  const { seed, cases, limitMs = Infinity, rules = RULES, finds: maxFinds = 1 } = options
  const deadline = performance.now() + limitMs
  const report: Report = {
    seed,
    cases: 0,
    messages: 0,
    verdicts: { 'both accept': 0, 'tsha refuses': 0, 'both refuse': 0, allowed: 0 },
    finds: [],
    firstFind: -1
  }
  for (let index = 0; index < cases; index++) {
    if (index % CASES_A_TURN === 0) {
      await new Promise((resolve) => setImmediate(resolve))
      if (performance.now() > deadline) break
    }
    const outcome =
      side === 'requests'
        ? compareRequests(requestCase(seed, index, rules), rules)
        : await compareResponses(responseCase(seed, index, rules), rules)
    report.cases++
    report.messages += outcome.messages
    report.verdicts[outcome.verdict]++
    if (outcome.difference !== null) {
      if (report.firstFind < 0) report.firstFind = index
      report.finds.push(await describe(side, seed, index, rules))
      if (report.finds.length >= maxFinds) break
    }
  }
  return report
}

/** The numbers of a run in one line. */
export function summaryOf(side: string, report: Report): string {
  const { seed, cases, messages, verdicts } = report
  return (
    `${side}: seed ${seed}, ${cases} cases: ${verdicts['both accept']} accepted by both, ` +
    `${verdicts['tsha refuses']} refused by tsha only, ${verdicts['both refuse']} refused by both, ` +
    `${verdicts.allowed} with a method or version unknown to llhttp; ${messages} whole messages compared`
  )
}

/** A find with the fewest bytes that still show it. */
async function describe(side: Side, seed: number, index: number, rules: Rules): Promise<string> {
  if (side === 'requests') {
    const original = requestCase(seed, index, rules)
    const check = (text: string): Outcome => compareRequests({ text, places: [] }, rules)
    return await smallest(side, seed, index, original, check, compareRequests(original, rules))
  }
  const original = responseCase(seed, index, rules)
  const check = (text: string): Promise<Outcome> =>
    compareResponses({ ...original, text, places: [] }, rules)
  const first = await compareResponses(original, rules)
  const found = await smallest(side, seed, index, original, check, first)
  return `${found} (${original.method}, ${original.isEnded ? 'ended' : 'open'})`
}

async function smallest(
  side: Side,
  seed: number,
  index: number,
  original: RequestCase,
  check: (text: string) => Outcome | Promise<Outcome>,
  first: Outcome
): Promise<string> {
  const where = `${side}, seed ${seed}, case ${index}`
  const isWhole = (await check(original.text)).difference !== null
  if (!isWhole) {
    const cut = JSON.stringify(original.places)
    return `${where}: ${first.difference ?? ''}: ${JSON.stringify(original.text)} cut at ${cut}`
  }
  const text = await shrink(original.text, async (each) => (await check(each)).difference !== null)
  const { difference } = await check(text)
  return `${where}: ${difference ?? ''}: ${JSON.stringify(text)}`
}

import t from 'tap'
import { compare, type OwnManner } from './compare.js'
import type { Outcome } from './play.js'
import { STORIES, type Step } from './story.js'

/** Steps of the story that every pair plays. */
function stepOf(name: string): Step {
  const step = STORIES.preempting.find((each) => each.name === name)
  if (!step) throw new RangeError(`there is no step ${name}`)
  return step
}

function outcome(step: string, changes: Partial<Outcome> = {}): Outcome {
  return {
    ...{ step: stepOf(step), vrid: 51, reigns: ['director1', 'director2'], lastWords: 0 },
    ...{ takenAfter: 3650, takenAfterAct: 3900, gainedAfter: 5, lostAfter: 10 },
    ...changes
  }
}

/** What is not allowed, in words. */
function complaints(wanted: Outcome, found: Outcome, mayBeFaster = false): readonly string[] {
  return compare([wanted], [found], () => ({ mayBeFaster, lastWords: 0 }))
    .filter(({ isAllowed }) => !isAllowed)
    .map(({ what }) => what)
}

t.test('a tenth of a second is allowed either way, and no more', (t) => {
  const wanted = outcome('link cut')
  t.strictSame(complaints(wanted, outcome('link cut', { takenAfter: 3750 })), [])
  t.strictSame(complaints(wanted, outcome('link cut', { takenAfter: 3550 })), [])
  const late = ['link cut, 51: takeover']
  t.strictSame(complaints(wanted, outcome('link cut', { takenAfter: 3751 })), late)
  t.strictSame(complaints(wanted, outcome('link cut', { takenAfter: 3549 })), late)
  t.strictSame(complaints(wanted, outcome('link cut', { takenAfter: null })), late)
  t.strictSame(complaints(wanted, outcome('link cut', { gainedAfter: 106 })), [
    'link cut, 51: address gained'
  ])
  t.end()
})

t.test('who gives the mastership away may be faster, never slower', (t) => {
  const wanted = outcome('service fails')
  const fast = outcome('service fails', { takenAfter: 650 })
  t.strictSame(complaints(wanted, fast), ['service fails, 51: takeover'])
  t.strictSame(complaints(wanted, fast, true), [])
  const slow = outcome('service fails', { takenAfter: 3751 })
  t.strictSame(complaints(wanted, slow, true), ['service fails, 51: takeover'])
  t.end()
})

t.test('another order of masters is a difference, however quick', (t) => {
  const reigns = ['director1', 'director2', 'director1', 'director2'] as const
  t.strictSame(complaints(outcome('link cut'), outcome('link cut', { reigns })), [
    'link cut, 51: masters director1, director2, director1, director2'
  ])
  t.end()
})

t.test('the old master keeps no address beside the new one, unless it was killed', (t) => {
  const kept = { lostAfter: null }
  t.strictSame(complaints(outcome('link cut'), outcome('link cut', kept)), [
    'link cut, 51: address lost'
  ])
  const early = outcome('link cut', { lostAfter: -3600 })
  t.strictSame(complaints(early, outcome('link cut', { lostAfter: 101 })), [
    'link cut, 51: address lost'
  ])
  t.strictSame(complaints(outcome('kill'), outcome('kill', kept)), [])
  t.end()
})

t.test('the phase is not all: the whole time counts too where a script decides', (t) => {
  const wanted = outcome('service back', { takenAfter: 610, takenAfterAct: 4000 })
  const found = (takenAfterAct: number): Outcome =>
    outcome('service back', { takenAfter: 610, takenAfterAct })
  t.strictSame(complaints(wanted, found(6000)), [])
  t.strictSame(complaints(wanted, found(6101)), ['service back, 51: takeover after the act'])
  t.end()
})

t.test('the last word is one, of all virtual routers together, where tsha yields', (t) => {
  const silent = outcome('link back')
  const told = outcome('link back', { lastWords: 1 })
  const other = { vrid: 52 }
  const words = (found: readonly Outcome[], lastWords: number): readonly string[] =>
    compare([silent, outcome('link back', other)], found, () => ({
      mayBeFaster: false,
      lastWords
    }))
      .filter(({ isAllowed }) => !isAllowed)
      .map(({ what }) => what)
  t.strictSame(words([told, outcome('link back', other)], 1), [])
  t.strictSame(words([silent, outcome('link back', { ...other, lastWords: 1 })], 1), [])
  t.strictSame(words([silent, silent], 1), ['link back: 0 last words'])
  t.strictSame(words([told, told], 1), ['link back: 2 last words'])
  t.strictSame(words([silent, told], 0), ['link back: 1 last words'])
  t.end()
})

t.test('a story that ends early is an error', (t) => {
  const asKeepalived = (): OwnManner => ({ mayBeFaster: false, lastWords: 0 })
  t.throws(() => compare([outcome('link cut')], [], asKeepalived), /ends before link cut/)
  t.end()
})

import t from 'tap'
import { reignsOf, type Advert } from './adverts.js'
import type { DirectorName } from './features.js'

const NAMES: Readonly<Record<string, DirectorName>> = { 1: 'director1', 2: 'director2' }

/** Advertisements as `director@time`, or `director@time:priority`. */
function adverts(text: string): readonly Advert[] {
  return text.split(' ').map((each) => {
    const [, name = '', at, priority = '100'] = /^([12])@(\d+)(?::(\d+))?$/.exec(each) ?? []
    const from = NAMES[name]
    if (from === undefined) throw new RangeError(each)
    return { at: Number(at), from, vrid: 51, priority: Number(priority) }
  })
}

/** The first advertisement of each reign, as `director@time`, and the last words. */
function reigns(text: string): string {
  const { firsts, lastWords } = reignsOf(adverts(text))
  return `${firsts.map(({ from, at }) => `${from}@${at}`).join(' ')}, ${lastWords}`
}

t.test('a reign begins with the first advertisement of another director', (t) => {
  t.equal(reigns('2@0 2@1000 1@1600 1@2600'), 'director2@0 director1@1600, 0')
  t.equal(reigns('2@0 1@1600:0 2@2000'), 'director2@0, 0', 'priority 0 claims nothing')
  t.end()
})

t.test('one more advertisement of who was beaten is its last word', (t) => {
  t.equal(reigns('2@0 1@1600 2@1602 1@1603 1@2603'), 'director2@0 director1@1600, 1')
  t.equal(reigns('2@0 1@1600 2@1700 1@2600'), 'director2@0 director1@1600, 1')
  t.end()
})

t.test('who goes on, or comes late, is master', (t) => {
  const both = 'director2@0 director1@1600 director2@1602 director1@2600'
  t.equal(reigns('2@0 1@1600 2@1602 2@2500 1@2600'), `${both}, 0`)
  const late = 'director2@0 director1@1600 director2@1701 director1@2600'
  t.equal(reigns('2@0 1@1600 2@1701 1@2600'), `${late}, 0`)
  t.equal(reigns('2@0 1@1600 2@1602'), 'director2@0 director1@1600 director2@1602, 0', 'the end')
  t.equal(
    reigns('1@1600 2@1602 1@1603'),
    'director1@1600 director2@1602 director1@1603, 0',
    'was no master'
  )
  t.end()
})

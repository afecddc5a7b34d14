import t from 'tap'
import { slopeOf } from './slope.js'

t.test('a straight line: its slope, and no doubt about it', (t) => {
  t.strictSame(
    slopeOf([
      [0, 1],
      [1, 3],
      [2, 5]
    ]),
    { perUnit: 2, error: 0 }
  )
  t.end()
})

t.test('points beside the line: the standard error of its slope', (t) => {
  const { perUnit, error } = slopeOf([
    [0, 0],
    [1, 2],
    [2, 1],
    [3, 3]
  ])
  t.equal(perUnit.toFixed(4), '0.8000')
  t.equal(error.toFixed(4), '0.4243')
  t.end()
})

t.test('two points say nothing', (t) => {
  t.ok(
    Number.isNaN(
      slopeOf([
        [0, 1],
        [1, 2]
      ]).perUnit
    )
  )
  t.end()
})

import t from 'tap'
import { observe, UNKNOWN } from '../../src/health/status.js'

/** What is thought after each result: `+` a pass, `-` a failure. */
function follow(results: string, rise: number, fall: number): string {
  let status = UNKNOWN
  return results
    .split('')
    .map((result) => {
      status = observe(status, result === '+', { rise, fall })
      return status.isUp === true ? 'U' : 'D'
    })
    .join('')
}

t.test('keepalived: the first result counts at once', (t) => {
  t.equal(follow('+', 3, 3), 'U')
  t.equal(follow('-', 3, 3), 'D')
  t.end()
})

t.test('fall consecutive failures bring a check down, rise passes up again', (t) => {
  t.equal(follow('+-+', 1, 1), 'UDU')
  t.equal(follow('+---++', 2, 3), 'UUUDDU')
  t.end()
})

t.test('a run that is broken counts anew', (t) => {
  t.equal(follow('+--+--+--', 1, 3), 'UUUUUUUUU')
  t.equal(follow('-+-+-++', 2, 1), 'DDDDDDU')
  t.end()
})

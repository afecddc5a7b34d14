// lane: patient - compares 140 000 messages and more
import t from 'tap'
import type { Intake } from '../../src/proxy/downstream/intake.js'
import type { Refusal, RequestHead } from '../../src/proxy/http1/head.js'
import { SEED, refusesMoreAndNothingElse } from './fixed-run.js'
import { RULES, type Rules } from './reader.js'
import { run, type Side } from './run.js'

// Half a minute of one core; longer beside other tests.
t.setTimeout(870_000)

refusesMoreAndNothingElse('requests', 140_000)

/** Reads a head again after a refusal, with its text changed. */
function forgiving(repair: (text: string) => string): Rules['readHead'] {
  return (intake: Intake): RequestHead | Refusal | null => {
    const head = intake.read()
    if (head?.kind !== 'refusal') return head
    const text = intake.takeRest()?.toString('latin1') ?? ''
    intake.keep(Buffer.from(repair(text), 'latin1'))
    return intake.read()
  }
}

/** Parsers with one fault each. */
const FAULTS: [fault: string, side: Side, rules: Partial<Rules>][] = [
  [
    'LF alone ends a line of a request',
    'requests',
    { readHead: forgiving((text) => text.replace(/^[^]*?\n\r?\n/, (head) => crlf(head))) }
  ],
  [
    'only the first Content-Length counts',
    'requests',
    {
      readHead: forgiving((text) =>
        text.replace(/(\r\nContent-Length:[^\r]*\r\n[^]*?)\r\nContent-Length:[^\r]*(?=\r\n)/i, '$1')
      )
    }
  ],
  [
    'Content-Length beside Transfer-Encoding is let go',
    'requests',
    { readHead: forgiving((text) => text.replace(/\r\nContent-Length:[^\r]*(?=\r\n)/i, '')) }
  ],
  [
    'Transfer-Encoding is sent on as it came',
    'requests',
    {
      requestHeadText: (plan, head, transaction) => {
        const text = RULES.requestHeadText(plan, head, transaction)
        const at = head.keys.indexOf('transfer-encoding')
        return at < 0
          ? text
          : `${text.slice(0, -2)}Transfer-Encoding: ${head.values[at] ?? ''}\r\n\r\n`
      }
    }
  ],
  [
    'nominated fields are sent on',
    'requests',
    {
      requestHeadText: (plan, head, transaction) =>
        RULES.requestHeadText(plan, { ...head, nominated: null }, transaction)
    }
  ],
  [
    'a response with two lengths has the last one',
    'responses',
    {
      parseResponseHead: (text, method) =>
        RULES.parseResponseHead(
          text.replace(/\r\nContent-Length:[^\r]*(?=\r\n[^]*\r\nContent-Length:)/i, ''),
          method
        )
    }
  ],
  [
    'a response to HEAD has a body',
    'responses',
    { parseResponseHead: (text) => RULES.parseResponseHead(text, 'GET') }
  ]
]

function crlf(text: string): string {
  return text.replace(/\r?\n/g, '\r\n')
}

t.test('a parser with a fault is found out', async (t) => {
  for (const [fault, side, rules] of FAULTS) {
    const report = await run(side, { seed: SEED, cases: 20_000, rules: { ...RULES, ...rules } })
    t.equal(report.finds.length, 1, fault)
    t.comment(`${fault}: ${report.finds[0] ?? 'not found'}`)
  }
})

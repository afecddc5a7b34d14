import t from 'tap'
import {
  nextGatewayDeadline,
  NOT_ASKING,
  stepGateway,
  type GatewayEvent,
  type GatewayState
} from '../../../src/director/addresses/gateway-rules.js'

const announced: GatewayEvent = { kind: 'announced', addresses: ['v1', 'v2'] }
const answer = (address: string): GatewayEvent => ({ kind: 'answer', address })

/** The rules with a record of `time action`. */
class Stage {
  state: GatewayState = NOT_ASKING
  readonly record: string[] = []

  feed(event: GatewayEvent, now: number): void {
    const step = stepGateway(this.state, event, now)
    this.state = step.state
    for (const action of step.actions)
      this.record.push(`${now} ${Object.values(action).map(String).join(' ')}`)
  }

  /** Lets time pass, with a timer at each deadline. */
  passTo(time: number): void {
    for (;;) {
      const deadline = nextGatewayDeadline(this.state)
      if (deadline === null || deadline > time) return
      this.feed({ kind: 'timer' }, deadline - 0.5)
      this.feed({ kind: 'timer' }, deadline)
    }
  }
}

t.test('a gateway that answers the first question is not told of', (t) => {
  const stage = new Stage()
  stage.feed(announced, 0)
  stage.feed(answer('v1'), 3)
  stage.feed(answer('v2'), 4)
  stage.passTo(120_000)
  t.strictSame(stage.record, ['0 ask v1,v2'])
  t.end()
})

t.test(
  'announced and asked again after 0.2 s, 0.4 s … 5 s, for the addresses without an answer',
  (t) => {
    const stage = new Stage()
    stage.feed(announced, 0)
    stage.passTo(600)
    stage.feed(answer('v1'), 700)
    stage.passTo(16_300)
    stage.feed(answer('v2'), 16_300)
    stage.passTo(120_000)
    t.strictSame(stage.record, [
      '0 ask v1,v2',
      '200 announce',
      '200 ask v1,v2',
      '600 announce',
      '600 ask v1,v2',
      '1400 announce',
      '1400 ask v2',
      '3000 announce',
      '3000 ask v2',
      '6200 announce',
      '6200 ask v2',
      '11200 announce',
      '11200 ask v2',
      '16200 announce',
      '16200 ask v2',
      '16300 answered-late 8 16300'
    ])
    t.end()
  }
)

t.test('after 60 s without an answer it gives up, and says so once', (t) => {
  const stage = new Stage()
  stage.feed(announced, 0)
  stage.feed(answer('v1'), 3)
  stage.passTo(120_000)
  t.equal(stage.record.at(-1), '60000 gave-up v2')
  t.equal(stage.record.filter((line) => line.endsWith(' announce')).length, 15)
  stage.feed(announced, 200_000)
  stage.feed(answer('v1'), 200_003)
  stage.passTo(300_000)
  t.equal(stage.record.filter((line) => line.includes('gave-up')).length, 1)
  stage.feed(announced, 400_000)
  stage.feed(answer('v1'), 400_003)
  stage.feed(answer('v2'), 400_004)
  t.equal(stage.record.at(-1), '400004 answered-late 1 4', 'and when it answers again')
  t.end()
})

t.test('nothing is asked any more when the addresses are given up', (t) => {
  const stage = new Stage()
  stage.feed(announced, 0)
  stage.feed({ kind: 'cancel' }, 100)
  stage.feed(answer('v1'), 150)
  stage.passTo(120_000)
  t.strictSame(stage.record, ['0 ask v1,v2'])
  t.end()
})

t.test('announcements that come all the time do not hide a silent gateway', (t) => {
  const stage = new Stage()
  for (let now = 0; now < 90_000; now += 10_000) {
    stage.passTo(now)
    stage.feed(announced, now)
  }
  t.strictSame(
    stage.record.filter((line) => line.includes('gave-up')),
    ['60000 gave-up v1,v2']
  )
  t.end()
})

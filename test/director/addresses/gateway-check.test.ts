import t from 'tap'
import { GatewayCheck } from '../../../src/director/addresses/gateway-check.js'
import { decodeArp, encodeArpRequest, parseMac, type ArpFrame } from '../../../src/vrrp/wire/arp.js'
import { decodeNeighbour, type NeighbourFrame } from '../../../src/vrrp/wire/ndisc.js'
import { FakeClock } from '../fake-clock.js'
import { LogRecord } from '../log-record.js'

const OURS = '02:00:c0:a8:40:82'
const GATEWAY_MAC = '02:00:c0:a8:40:01'

class Stage {
  readonly clock = new FakeClock()
  readonly record: string[] = []
  readonly journal = new LogRecord()
  readonly check: GatewayCheck

  constructor(gateway: string) {
    this.check = new GatewayCheck(
      {
        announce: (kind) => void this.record.push(`${this.clock.now()} announce ${kind}`),
        cancel: () => void this.record.push('cancel')
      },
      { gateway, addresses: ['192.168.64.200', '2001:db8::c8'], mac: OURS },
      { send: (frame) => void this.record.push(this.#describe(frame)) },
      this.clock,
      this.journal.log
    )
  }

  #describe(frame: Uint8Array): string {
    const arp = decodeArp(frame)
    const from = arp?.senderAddress ?? decodeNeighbour(frame)?.source ?? '?'
    const to = arp?.targetAddress ?? decodeNeighbour(frame)?.target ?? '?'
    return `${this.clock.now()} ask ${to} from ${from}`
  }
}

const answer: ArpFrame = {
  isReply: true,
  from: GATEWAY_MAC,
  to: OURS,
  senderMac: GATEWAY_MAC,
  senderAddress: '192.168.64.1',
  targetMac: OURS,
  targetAddress: '192.168.64.200'
}

t.test(
  'the gateway is asked from the virtual addresses of its family, after each announcement',
  (t) => {
    const stage = new Stage('192.168.64.1')
    stage.check.announce('mastery')
    t.strictSame(stage.record, ['0 announce mastery', '0 ask 192.168.64.1 from 192.168.64.200'])
    stage.check.arp(answer)
    stage.clock.advanceTo(120_000)
    t.equal(stage.record.length, 2, 'once is enough when it answers')
    t.strictSame(stage.journal.lines, [])
    t.end()
  }
)

t.test('a lost announcement is repeated until the answer comes, and that is told once', (t) => {
  const stage = new Stage('192.168.64.1')
  stage.check.announce('mastery')
  stage.clock.advanceTo(700)
  stage.check.arp(answer)
  stage.clock.advanceTo(120_000)
  t.strictSame(stage.record.slice(2), [
    '200 announce refresh',
    '200 ask 192.168.64.1 from 192.168.64.200',
    '600 announce refresh',
    '600 ask 192.168.64.1 from 192.168.64.200'
  ])
  t.strictSame(stage.journal.lines, [
    'warn the gateway answers to the virtual addresses only now: it missed an announcement ' +
      '{"gateway":"192.168.64.1","questions":3,"afterMs":700}'
  ])
  t.end()
})

t.test('what is no answer of the gateway to us is none', (t) => {
  const stage = new Stage('192.168.64.1')
  stage.check.announce('mastery')
  const request = decodeArp(
    encodeArpRequest(parseMac(GATEWAY_MAC), '192.168.64.1', '192.168.64.200')
  )
  const others: (ArpFrame | null)[] = [
    { ...answer, senderAddress: '192.168.64.2' },
    { ...answer, to: '02:00:c0:a8:40:86' },
    { ...answer, targetMac: '02:00:c0:a8:40:86' },
    { ...answer, targetAddress: '192.168.64.201' },
    request
  ]
  for (const frame of others) if (frame) stage.check.arp(frame)
  stage.clock.advanceTo(60_000)
  t.match(stage.journal.lines, [/^error the gateway does not answer .*"192.168.64.200"/])
  t.end()
})

t.test('RFC 4861: over IPv6 the solicited advertisement of the gateway is the answer', (t) => {
  const stage = new Stage('FE80::1')
  stage.check.announce('mastery')
  t.equal(stage.record[1], '0 ask fe80::1 from 2001:db8::c8')
  const advertisement: NeighbourFrame = {
    kind: 'advertisement',
    from: GATEWAY_MAC,
    to: OURS,
    source: 'fe80::1',
    destination: '2001:db8::c8',
    target: 'fe80::1',
    isSolicited: true,
    linkAddress: GATEWAY_MAC
  }
  stage.check.neighbour({ ...advertisement, isSolicited: false })
  stage.clock.advanceTo(250)
  t.equal(stage.record.length, 4, 'an unsolicited one is not')
  stage.check.neighbour(advertisement)
  stage.clock.advanceTo(120_000)
  t.equal(stage.record.length, 4)
  t.end()
})

t.test('cancel ends the questions and what is queued', (t) => {
  const stage = new Stage('192.168.64.1')
  stage.check.announce('mastery')
  stage.check.cancel()
  stage.clock.advanceTo(120_000)
  t.strictSame(stage.record.slice(2), ['cancel'])
  t.equal(stage.clock.timers, 0)
  t.end()
})

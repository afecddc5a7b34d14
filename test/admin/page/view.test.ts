import t from 'tap'
import { actionOf } from '../../../src/admin/page/actions.js'
import { el, textOf } from '../../../src/admin/page/element.js'
import { addEvents, detailText, eventList } from '../../../src/admin/page/events.js'
import { failures, upstreams } from '../../../src/admin/page/proxy.js'
import { configuration } from '../../../src/admin/page/configuration.js'
import { priority, routerCard, waitsFor } from '../../../src/admin/page/routers.js'
import { announcements, pageTitle, verdict } from '../../../src/admin/page/verdict.js'
import {
  interval,
  latency,
  moment,
  plain,
  rate,
  shortSpan,
  span,
  whole
} from '../../../src/admin/page/words.js'
import type { AdminEvent } from '../../../src/admin/model.js'
import {
  BACKUP,
  MASTER,
  OUT_PEER,
  PEER,
  PROXY,
  PROXY_WITH_OUT,
  statusOf
} from '../../cli/statuses.js'

const NOW = '2026-11-22T12:08:11.000Z'

function textsOf(shown: readonly (string | ReturnType<typeof el>)[]): string {
  return textOf(el('div', {}, ...shown))
}

t.test('a master says that it holds the address, since when and why', (t) => {
  const text = textsOf(routerCard(MASTER, statusOf(), 0))
  t.match(text, /This director holds 192\.168\.64\.200 since .*\(2 h 5 min\)\./)
  t.match(text, /director1 MASTER, priority 100 next advertisement in 0\.4 s, one each 1 s/)
  t.match(text, /Because 192\.168\.64\.134 advertised priority 0 its service check failed/)
  t.match(text, /Partner backup by role silent/)
  t.match(text, /Priority 100 , as configured/)
  t.end()
})

t.test(
  'a backup names the master, how long ago it was heard, and what lowers the priority',
  (t) => {
    const status = statusOf({ role: 'backup', router_id: 'director2' })
    const text = textsOf(routerCard(BACKUP, status, 500))
    t.match(text, /192\.168\.64\.130 , the partner, holds 192\.168\.64\.200 \. BACKUP here since/)
    t.match(text, /MASTER, priority 100 last heard 0\.4 s ago/)
    t.match(
      text,
      /Priority 80 = 100 configured − 20 for the service check \(fails: connection refused\)/
    )
    t.match(
      textsOf(routerCard({ ...BACKUP, master: null }, status, 0)),
      /Nobody is heard who holds/
    )
    t.end()
  }
)

t.test('a priority that was set, a fault, and an order to stand back are told', (t) => {
  const fault = { what: 'interface ens160', detail: 'is down', added: 0, is_fault: true }
  const text = textsOf(
    priority({ ...MASTER, priority_override: 50, effective_priority: 50, effects: [fault] })
  )
  t.match(text, /Priority 50 = 50 set by an administrator \(100 configured\) \./)
  t.match(text, /Kept out of the election by interface ens160 \(is down\)/)
  const card = textsOf(routerCard({ ...MASTER, state: 'fault', stepped_down: true }, statusOf(), 0))
  t.match(card, /^nginx FAULT stepped down vrid 51 on ens160 Resume/)
  t.end()
})

t.test('between two statuses the timer goes on', (t) => {
  t.equal(waitsFor(MASTER, 100), 'next advertisement in 0.3 s, one each 1 s')
  t.equal(waitsFor(MASTER, 612), 'next advertisement in 0.8 s, one each 1 s')
  const waiting = { what: 'hand-over', in_ms: 1250 }
  t.equal(
    waitsFor(
      { ...MASTER, is_handing_over: true, timers: { ...MASTER.timers, next: waiting } },
      250
    ),
    'waits 1.0 s more for the partner to take over'
  )
  const down = { ...BACKUP, timers: { ...BACKUP.timers, next: { what: 'master-down', in_ms: 10 } } }
  t.equal(waitsFor(down, 0), 'takes over when it hears nothing for 3.61 s')
  t.end()
})

t.test('problems come first, and their coming and going is announced', (t) => {
  t.equal(textsOf(verdict({ problems: [] })), 'All is well')
  t.equal(textsOf(verdict({ problems: ['a', 'b'] })), '2 problems a b')
  const before = statusOf()
  const after = statusOf({ problems: ['web1 is out'], virtual_routers: [BACKUP] })
  t.strictSame(announcements(null, after), [])
  t.strictSame(announcements(before, after), ['nginx is BACKUP now', 'Problem: web1 is out'])
  t.strictSame(announcements(after, after), [])
  t.strictSame(announcements(after, before), ['nginx is MASTER now', 'All is well'])
  t.equal(pageTitle(after), '(1) director1: BACKUP - tsha')
  t.end()
})

t.test('a peer that is out is a word, its reason and since when', (t) => {
  const text = textsOf(upstreams(PROXY_WITH_OUT, NOW))
  t.match(text, /^web 1 of 2 up round-robin/)
  t.match(
    text,
    /192\.168\.64\.138:80 OUT 2 failures: connection refused, since .* \(3 min 11 s\) 0 0 - - 2 \(connect 2\) 2 of 2 1/
  )
  t.match(textsOf(upstreams(PROXY, NOW)), /UP since .* 120 3 1\.2 ms 19 ms 0 0 of 2 1/)
  t.equal(textsOf(upstreams(null, NOW)), 'This director has no proxy.')
  t.equal(
    failures({ '200': 5, '404': 1, '502': 1200, connect: 3, reset: 0 }),
    '1\u202f203 (502 1\u202f200, connect 3)'
  )
  t.end()
})

t.test('a confirmation says what will happen to whom', (t) => {
  const status = statusOf({ proxy: PROXY_WITH_OUT })
  const order = { action: 'peer', upstream: 'web', peer: PEER.name, wish: 'drain' }
  t.strictSame(actionOf(order, status), {
    path: '/v1/upstreams/web/peers/192.168.64.143%3A80',
    body: { state: 'drain' },
    title: 'Drain 192.168.64.143:80?',
    sentences: [
      'It gets no new requests of web. 3 requests in flight are finished; its check goes on.',
      '0 other peers of web are up.'
    ],
    warnings: ['No peer of web will be up: clients will get errors.'],
    verb: 'Drain'
  })
  t.strictSame(actionOf({ ...order, peer: OUT_PEER.name }, status)?.warnings, [])
  t.equal(actionOf({ ...order, peer: 'gone' }, status), null)
  t.equal(actionOf({ ...order, wish: 'explode' }, status), null)
  t.equal(
    actionOf({ action: 'resume', router: 'nginx' }, status)?.path,
    '/v1/virtual-routers/nginx/resume'
  )
  t.match(
    actionOf({ action: 'step-down', router: 'nginx' }, status)?.sentences[0],
    /^192\.168\.64\.200 will be handed over/
  )
  t.equal(actionOf({ action: 'reload' }, status)?.path, '/v1/reload')
  t.equal(actionOf({ action: 'unknown' }, status), null)
  t.end()
})

t.test('a refused reload is told with all that is wrong', (t) => {
  const last_reload = {
    at: NOW,
    ok: false,
    lines: ['tsha.yaml:3: no such key', 'tsha.yaml:9: port 0']
  }
  const status = statusOf()
  const text = textsOf(
    configuration({ ...status, configuration: { ...status.configuration, last_reload } }, NOW)
  )
  t.match(
    text,
    /Last reload REFUSED .*; the old configuration stays tsha\.yaml:3: no such key tsha\.yaml:9: port 0/
  )
  t.end()
})

const event = (id: number, level: AdminEvent['level']): AdminEvent => ({
  id,
  at: NOW,
  level,
  kind: 'peer',
  subject: 'web1',
  text: `text ${id}`,
  details: { fails: 2, error: 'refused', none: null }
})

t.test('events are shown newest first, each once, from a level on', (t) => {
  const known = addEvents(
    [event(1, 'info'), event(2, 'warn')],
    [event(2, 'warn'), event(3, 'info')]
  )
  t.strictSame(
    known.map(({ id }) => id),
    [1, 2, 3]
  )
  t.strictSame(
    eventList(known, 'info', 0, NOW).map(({ key }) => key),
    ['3', '2', '1']
  )
  t.strictSame(
    eventList(known, 'warn', 0, NOW).map(({ key }) => key),
    ['2']
  )
  t.match(textsOf(eventList(known, 'warn', 0, NOW)), /warn peer web1 text 2 fails=2 error=refused$/)
  t.match(textsOf(eventList([], 'info', 7, NOW)), /7 events came too fast/)
  t.equal(textsOf(eventList([], 'error', 0, NOW)), 'Nothing of this level has happened.')
  const many = Array.from({ length: 1500 }, (_, index) => event(index + 1, 'info'))
  t.equal(addEvents([], many).length, 1000)
  t.equal(eventList(many, 'info', 0, NOW).length, 200)
  t.equal(detailText({ a: { b: [1] }, c: '\u202Ehidden' }), 'a={"b":[1]} c=\uFFFDhidden')
  t.end()
})

t.test('what is hostile stays a text, and does not hide', (t) => {
  const name = '<img src=x onerror=alert(1)>'
  const proxy = {
    ...PROXY,
    upstreams: [{ name, balance: name, peers: [{ ...PEER, name, detail: name }] }]
  }
  const tags = new Set<string>()
  const visit = (shown: string | ReturnType<typeof el>): void => {
    if (typeof shown === 'string') return
    tags.add(shown.tag)
    for (const attribute of Object.keys(shown.attributes))
      t.notMatch(attribute, /^on|^style|^src|^href/)
    shown.children.forEach(visit)
  }
  upstreams(proxy, NOW).forEach(visit)
  t.notOk(tags.has('img'))
  t.match(textsOf(upstreams(proxy, NOW)), new RegExp(name.replace(/[()]/g, '\\$&')))
  t.equal(plain('a\u202Eb\u0007c\u200Bd'), 'a\uFFFDb\uFFFDc\uFFFDd')
  t.end()
})

t.test('values are written as people read them', (t) => {
  t.strictSame([0, 59, 61, 3600, 7511, 90_061].map(span), [
    '0 s',
    '59 s',
    '1 min 1 s',
    '1 h',
    '2 h 5 min',
    '1 d 1 h'
  ])
  t.strictSame([0, 420, 9940, 9960, 61_000].map(shortSpan), [
    '0.0 s',
    '0.4 s',
    '9.9 s',
    '9 s',
    '1 min 1 s'
  ])
  t.strictSame([10, 250, 1000, 3609.375].map(interval), ['10 ms', '0.25 s', '1 s', '3.61 s'])
  t.strictSame([0, 0.01, 12.34, 120.4, 1204].map(rate), ['0', '<0.1', '12.3', '120', '1\u202f204'])
  t.strictSame([null, 0.42, 12.3, 1234].map(latency), ['-', '0.4 ms', '12 ms', '1.2 s'])
  t.equal(whole(1_234_567), '1\u202f234\u202f567')
  t.equal(moment('no time', NOW), 'no time')
  t.match(moment('2026-10-01T12:00:00Z', NOW), /^(Oct 01|Sep 30|Oct 02) \d\d:\d\d$/)
  t.end()
})

t.test('an element leaves out what is not said', (t) => {
  t.strictSame(el('p', { id: null, hidden: true, title: false, key: 3 }, null, '', 'a'), {
    tag: 'p',
    key: '3',
    attributes: { hidden: '' },
    children: ['a']
  })
  t.end()
})

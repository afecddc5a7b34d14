import t from 'tap'
import type { VirtualRouter } from '../../../src/vrrp/model.js'
import { REASONS, type Reason } from '../../../src/vrrp/model.js'
import { clockTime, sentenceOf } from '../../../src/director/status/sentences.js'
import { clock, effect, StoryPlay } from './story-play.js'

const A = '192.168.64.130'
const C = '192.168.64.250'
/** The source of the plays' own advertisements is .130; the partner's is the greater one. */
const PARTNER = '192.168.64.131'

const REFUSED = effect({
  detail: 'connect ECONNREFUSED 127.0.0.1:80',
  since: clock('12:00:10'),
  added: -20
})
const STARTED = 'we were started at 12:00:00Z and listen before we take over'

function create(priority: number, router: Partial<VirtualRouter> = {}): StoryPlay {
  return new StoryPlay(priority, { primaryAddress: A, ...router })
}

/** Master since 12:00:03.6, alone. */
function master(priority = 100, router: Partial<VirtualRouter> = {}): StoryPlay {
  return create(priority, router).start().wait(10_000)
}

/** One play for each reason, and what it says at its end. */
const PLAYS: Readonly<Record<Reason, readonly (readonly [StoryPlay, readonly string[]])[]>> = {
  startup: [
    [create(100).start(), ['no other master is heard; we take over if that stays so', STARTED]],
    [
      create(90).start().wait(500).hear(PARTNER, 100).wait(500),
      ['192.168.64.131 is master with priority 100, more than our 90', STARTED]
    ],
    [
      create(255, { startsAsMaster: true }).start(),
      ['we own the addresses (priority 255) and took them at the start, at 12:00:00Z']
    ]
  ],
  shutdown: [
    [create(100).start().feed({ kind: 'shutdown' }), ['we were stopped at 12:00:00Z']],
    [
      master(100, { makesBeforeBreak: false }).feed({ kind: 'shutdown' }),
      ['we were stopped at 12:00:10Z and gave the addresses up with priority 0']
    ]
  ],
  'master-down-expired': [
    [
      create(100).start().wait(4000),
      ['no master was heard since 12:00:00Z, when we began to listen']
    ],
    [
      create(90).start().wait(1000).hear(PARTNER, 100).wait(5000),
      [
        'nothing was heard of 192.168.64.131 (priority 100) since 12:00:01Z, for longer than Master_Down_Interval (3.648 s)'
      ]
    ],
    [
      create(100).start().wait(1000).hear(PARTNER, 90).wait(2000).hear(PARTNER, 90).wait(1000),
      [
        'we preempted 192.168.64.131: it advertised priority 90, last at 12:00:03Z, less than our 100'
      ]
    ],
    [
      create(100, { preempts: false }).start().wait(1000).hear(PARTNER, 90).wait(4000),
      [
        'nothing was heard of 192.168.64.131 (priority 90) since 12:00:01Z, for longer than Master_Down_Interval (3.609 s)'
      ]
    ]
  ],
  'priority-zero': [
    [
      create(90).start().hear(PARTNER, 100).wait(1000).hear(PARTNER, 0).wait(1000),
      [
        '192.168.64.131 advertised priority 0 at 12:00:01Z: it gave the addresses up by itself (it was stopped, handed them over, or has a fault)',
        'until then it advertised priority 100, last at 12:00:00Z'
      ]
    ],
    [
      create(90).start().hear(PARTNER, 0).wait(1000),
      [
        '192.168.64.131 advertised priority 0 at 12:00:00Z: it gave the addresses up by itself (it was stopped, handed them over, or has a fault)'
      ]
    ]
  ],
  'higher-priority': [
    [
      master().hear(PARTNER, 110).wait(500),
      [
        '192.168.64.131 advertised priority 110 at 12:00:10Z, more than our 100',
        '192.168.64.131 is master with priority 110, more than our 100'
      ]
    ],
    [
      master().hear(PARTNER, 100),
      [
        '192.168.64.131 advertised priority 100 at 12:00:10Z, the same as ours, and its address is the greater one',
        '192.168.64.131 is master with priority 100, the same as ours'
      ]
    ],
    [
      master(100, { makesBeforeBreak: false })
        .follow([effect({ ...REFUSED, what: 'script A', detail: 'exited with status 1' })])
        .wait(3000)
        .hear(PARTNER, 90),
      [
        '192.168.64.131 advertised priority 90 at 12:00:13Z, more than our 80',
        'script A fails since 12:00:10Z: exited with status 1',
        'it takes 20 from the priority 100, so 80',
        '192.168.64.131 is master with priority 90, more than our 80'
      ]
    ]
  ],
  'lower-priority': [
    [master().hear(PARTNER, 90), ['no master was heard since 12:00:00Z, when we began to listen']]
  ],
  fault: [
    [
      (() => {
        const play = master()
        play.effects = [
          effect({ what: 'interface ens160', verb: 'is down', isFault: true }),
          effect({ what: 'script A', added: -5 })
        ]
        return play.feed({ kind: 'fault', cause: 'link' })
      })(),
      [
        'we left the election at 12:00:10Z and gave the addresses up with priority 0: its interface is down or gone',
        'interface ens160 is down'
      ]
    ],
    [
      (() => {
        const play = create(100, { isGrouped: true }).start()
        play.siblings = [
          { name: 'VI_2', state: 'fault' },
          { name: 'VI_3', state: 'backup' }
        ]
        return play.feed({ kind: 'fault', cause: 'group' })
      })(),
      [
        'we are out of the election since 12:00:00Z: another member of the sync group has a fault',
        'virtual router VI_2 of the same sync group has a fault'
      ]
    ],
    [
      master()
        .follow([effect({ ...REFUSED, added: 0, isFault: true })])
        .wait(600)
        .hear(PARTNER, 90)
        .feed({ kind: 'fault', cause: 'tracker' }),
      [
        'we are out of the election since 12:00:10Z: something that is followed with weight 0 keeps us out',
        'the service check fails since 12:00:10Z: connect ECONNREFUSED 127.0.0.1:80',
        'we handed the addresses over at 12:00:10Z: 192.168.64.131 advertised priority 90'
      ]
    ]
  ],
  'fault-cleared': [
    [
      (() => {
        const play = create(100)
        play.effects = [effect({ what: 'interface ens160', verb: 'is down', isFault: true })]
        play.feed({ kind: 'fault', cause: 'link' }).wait(5000)
        play.effects = []
        return play.feed({ kind: 'fault-cleared' })
      })(),
      [
        'no other master is heard; we take over if that stays so',
        'the fault that kept us out of the election ended at 12:00:05Z; we listen before we take over',
        'we were out of the election since 12:00:00Z: its interface is down or gone',
        'interface ens160 was down'
      ]
    ]
  ],
  'addresses-lost': [
    [
      master().feed({ kind: 'addresses-lost' }),
      [
        'no other master is heard; we take over if that stays so',
        'somebody removed our addresses from this machine at 12:00:10Z, so we gave them up with priority 0'
      ]
    ]
  ],
  'interval-adopted': [
    [
      create(90, { version: 3 }).start().hear(PARTNER, 100, 2000).wait(1000),
      ['192.168.64.131 is master with priority 100, more than our 90', STARTED]
    ]
  ],
  'preempt-delay-begun': [
    [
      create(100, { preemptDelay: 60_000 }).start().wait(1000).hear(PARTNER, 90),
      [
        '192.168.64.131 advertised priority 90 at 12:00:01Z, less than our 100: preempt_delay leaves it alone for a while',
        '192.168.64.131 is master with priority 90, less than our 100: it is left alone no longer than preempt_delay and our own wait last',
        STARTED
      ]
    ]
  ],
  'preempt-delay-cancelled': [
    [
      create(100, { preemptDelay: 60_000 }).start().hear(PARTNER, 90).wait(1000).hear(PARTNER, 110),
      ['192.168.64.131 is master with priority 110, more than our 100', STARTED]
    ]
  ],
  'two-owners': [
    [
      master(255, { startsAsMaster: true }).hear(PARTNER, 255),
      [
        '192.168.64.131 owns the addresses as well (priority 255), and as its address is the greater one, we gave way at 12:00:10Z',
        '192.168.64.131 is master with priority 255, the same as ours'
      ]
    ],
    [
      master(255, { startsAsMaster: true, primaryAddress: C }).hear(PARTNER, 255),
      [
        '192.168.64.131 advertised priority 255 at 12:00:10Z as we do: two machines own the addresses',
        'we own the addresses (priority 255) and took them at the start, at 12:00:00Z'
      ]
    ]
  ],
  'owner-lowered': [
    [
      master(255, { startsAsMaster: true, primaryAddress: C })
        .hear(PARTNER, 255)
        .wait(2500)
        .hear(PARTNER, 255),
      [
        '192.168.64.131 went on to advertise priority 255 although it could hear us: we gave way at 12:00:12Z',
        '192.168.64.131 is master with priority 255, more than our 254'
      ]
    ]
  ],
  'owner-restored': [
    [
      master(255, { startsAsMaster: true, primaryAddress: C })
        .hear(PARTNER, 255)
        .wait(2500)
        .hear(PARTNER, 255)
        .wait(1000)
        .hear(PARTNER, 90),
      [
        '192.168.64.131 went on to advertise priority 255 although it could hear us: we gave way at 12:00:12Z',
        '192.168.64.131 is master with priority 90, less than our 255: it is left alone no longer than preempt_delay and our own wait last'
      ]
    ]
  ],
  'wants-master': [
    [
      (() => {
        const play = create(100, { isGrouped: true }).start().wait(4000)
        play.siblings = [{ name: 'VI_2', state: 'backup' }]
        return play
      })(),
      [
        'we could take over since 12:00:01Z, and wait until every member of the sync group can',
        'virtual router VI_2 of the same sync group is backup',
        STARTED
      ]
    ],
    [
      create(100, { isGrouped: true })
        .start()
        .wait(1000)
        .hear(PARTNER, 110)
        .wait(5000)
        .feed({ kind: 'group-master' }),
      [
        'nothing was heard of 192.168.64.131 (priority 110) since 12:00:01Z, for longer than Master_Down_Interval (3.609 s)'
      ]
    ]
  ],
  group: [
    [
      (() => {
        const play = create(100, { isGrouped: true }).start().wait(4000)
        play.feed({ kind: 'group-master' }).wait(1000)
        play.siblings = [{ name: 'VI_2', state: 'backup' }]
        return play.feed({ kind: 'group-backup' })
      })(),
      [
        'no other master is heard; we take over if that stays so',
        'another member of the sync group is not master, so we gave the addresses up at 12:00:05Z',
        'virtual router VI_2 of the same sync group is backup'
      ]
    ]
  ],
  paused: [
    [
      master().pause(5000),
      [
        'no other master is heard; we take over if that stays so',
        'this process or machine stood still until 12:00:15Z, longer than a partner waits: we gave the addresses up and listen first'
      ]
    ],
    [
      create(90).start().hear(PARTNER, 100).pause(9000),
      [
        'this process or machine stood still until 12:00:09Z, so the master is waited for once more',
        'no other master is heard; we take over if that stays so',
        STARTED
      ]
    ]
  ],
  'resumed-late': [
    [master().pause(1700), ['no master was heard since 12:00:00Z, when we began to listen']]
  ],
  'hand-over-begun': [
    [
      master().follow([REFUSED]).wait(100),
      [
        'we advertised priority 0 at 12:00:10Z and keep the addresses until another master is heard',
        'the service check fails since 12:00:10Z: connect ECONNREFUSED 127.0.0.1:80',
        'it takes 20 from the priority 100, so 80',
        'no master was heard since 12:00:00Z, when we began to listen'
      ]
    ],
    [
      master().feed({ kind: 'shutdown' }),
      [
        'we advertised priority 0 at 12:00:10Z and keep the addresses until another master is heard, because we are being stopped',
        'we were asked to stop at 12:00:10Z',
        'no master was heard since 12:00:00Z, when we began to listen'
      ]
    ]
  ],
  'hand-over-answered': [
    [
      master().follow([REFUSED]).wait(600).hear(PARTNER, 90).wait(1000).hear(PARTNER, 90),
      [
        'we handed the addresses over at 12:00:10Z: 192.168.64.131 advertised priority 90',
        'the service check fails since 12:00:10Z: connect ECONNREFUSED 127.0.0.1:80',
        'it takes 20 from the priority 100, so 80',
        '192.168.64.131 is master with priority 90, more than our 80'
      ]
    ],
    [
      master()
        .follow([REFUSED, effect({ what: 'script A', verb: 'passes', added: 5 })])
        .wait(600)
        .hear(PARTNER, 90)
        .follow([])
        .hear(PARTNER, 90),
      [
        'we handed the addresses over at 12:00:10Z: 192.168.64.131 advertised priority 90',
        'the service check failed from 12:00:10Z on: connect ECONNREFUSED 127.0.0.1:80',
        'all that is followed makes the priority 85 instead of 100',
        '192.168.64.131 is master with priority 90, less than our 100: it is left alone no longer than preempt_delay and our own wait last'
      ]
    ],
    [
      master()
        .follow([{ ...REFUSED, added: -5 }])
        .wait(600)
        .hear(PARTNER, 90),
      [
        'we handed the addresses over at 12:00:10Z: 192.168.64.131 advertised priority 90',
        'the service check fails since 12:00:10Z: connect ECONNREFUSED 127.0.0.1:80',
        'it takes 5 from the priority 100, so 95',
        '192.168.64.131 is master with priority 90, less than our 95, but we do not take over while something of ours fails'
      ]
    ],
    [
      master().feed({ kind: 'shutdown' }).wait(600).hear(PARTNER, 90),
      [
        'we handed the addresses over at 12:00:10Z: 192.168.64.131 advertised priority 90',
        'we were asked to stop at 12:00:10Z'
      ]
    ]
  ],
  'hand-over-unanswered': [
    [
      master().follow([REFUSED]).wait(2000),
      [
        'nobody took the addresses when we offered them, so we went on as master at 12:00:11Z',
        'the service check fails since 12:00:10Z: connect ECONNREFUSED 127.0.0.1:80',
        'it takes 20 from the priority 100, so 80',
        'no master was heard since 12:00:00Z, when we began to listen'
      ]
    ],
    [
      master().follow([REFUSED]).wait(2000).follow([]),
      ['no master was heard since 12:00:00Z, when we began to listen']
    ],
    [
      master().feed({ kind: 'shutdown' }).wait(2000),
      [
        'nobody took the addresses when we were stopped; we gave them up at 12:00:11Z',
        'we were asked to stop at 12:00:10Z'
      ]
    ]
  ],
  'hand-over-cancelled': [
    [
      master().follow([REFUSED]).wait(500).follow([]),
      [
        'the reason for handing the addresses over ended at 12:00:10Z, before anybody took them',
        'no master was heard since 12:00:00Z, when we began to listen'
      ]
    ]
  ]
}

for (const reason of REASONS) {
  t.test(`why, where the reason was ${reason}`, (t) => {
    for (const [play, expected] of PLAYS[reason]) {
      const { story } = play.story
      const told = [story.change, story.previous, ...story.within, ...story.before]
      t.ok(
        told.some((moment) => moment?.reason === reason),
        'the play has that reason'
      )
      t.strictSame(play.because(), expected)
    }
    t.end()
  })
}

/** Steps that change nothing that lasts, and so are no cause of a state. */
const PASSING: readonly (readonly [Reason, StoryPlay, string])[] = [
  [
    'priority-zero',
    master().hear(PARTNER, 0),
    '192.168.64.131 advertised priority 0 at 12:00:10Z, and we said that we are master'
  ],
  [
    'lower-priority',
    master().hear(PARTNER, 90),
    '192.168.64.131 advertised priority 90 at 12:00:10Z and is no stronger than we are: we stay master'
  ],
  [
    'interval-adopted',
    create(90, { version: 3 }).start().hear(PARTNER, 100, 2000),
    '192.168.64.131 advertises in another interval than ours, which counts since 12:00:00Z'
  ],
  [
    'preempt-delay-cancelled',
    create(100, { preemptDelay: 60_000 }).start().hear(PARTNER, 90).hear(PARTNER, 110),
    '192.168.64.131 advertised priority 110 at 12:00:00Z, which ended the wait of preempt_delay'
  ],
  [
    'owner-restored',
    master(255, { startsAsMaster: true, primaryAddress: C })
      .hear(PARTNER, 255)
      .wait(2500)
      .hear(PARTNER, 255)
      .hear(PARTNER, 90),
    'the other owner of the addresses was gone at 12:00:12Z: our priority is 255 again'
  ],
  [
    'resumed-late',
    master().pause(1700),
    'this process or machine stood still until 12:00:11Z, too short for a partner to take over'
  ]
]

t.test('what passes without a change that lasts has its sentence as well', (t) => {
  for (const [reason, play, expected] of PASSING) {
    const { story } = play.story
    const moment = story.within.find((each) => each.reason === reason)
    if (moment === undefined) t.fail(`no ${reason}`)
    else t.equal(sentenceOf(moment, { rules: play.router, story, now: moment.at }), expected)
  }
  t.end()
})

t.test('no sum is told that another configuration has made wrong', (t) => {
  const play = master().follow([REFUSED]).wait(100).rebase(150)
  t.strictSame(play.because(), [
    'we advertised priority 0 at 12:00:10Z and keep the addresses until another master is heard',
    'the service check fails since 12:00:10Z: connect ECONNREFUSED 127.0.0.1:80',
    'no master was heard since 12:00:00Z, when we began to listen'
  ])
  t.end()
})

t.test('a time of another day has its date', (t) => {
  const at = { wall: Date.parse('2026-02-28T23:59:59.999Z'), monotonic: 0 }
  const later = { wall: Date.parse('2026-03-01T00:00:00Z'), monotonic: 1 }
  t.equal(clockTime(at, later), '2026-02-28 23:59:59Z')
  t.equal(clockTime(at, at), '23:59:59Z')
  t.end()
})

t.test('a flood of advertisements makes a story no longer', (t) => {
  const play = master()
  for (let i = 0; i < 2000; i += 1) play.hear(PARTNER, 1 + (i % 90)).wait(10)
  t.same(
    play.story.story.within.map(({ reason }) => reason),
    ['lower-priority']
  )
  t.end()
})

import t, { type Test } from 'tap'
import {
  FRESH_CARE,
  nextCareDeadline,
  stepCare,
  type CareEvent,
  type CareState
} from '../../../src/director/addresses/address-care-rules.js'

const SETTING = { answerWithin: 1500, masterDownInterval: 3600 }

const master: CareEvent = { kind: 'mastery', isMaster: true }
const backup: CareEvent = { kind: 'mastery', isMaster: false }
const heard: CareEvent = { kind: 'heard' }
const timer: CareEvent = { kind: 'timer' }
const added = (address = 'v1'): CareEvent => ({ kind: 'added', address })
const removed = (address = 'v1', hasExpired = false): CareEvent => ({
  kind: 'removed',
  address,
  hasExpired
})

type Story = readonly (readonly [now: number, event: CareEvent, expected?: string])[]

/** Plays a story; timers come by themselves. Each line's expectation is what its actions say. */
function play(t: Test, story: Story): void {
  let state: CareState = FRESH_CARE
  const feed = (event: CareEvent, now: number): string => {
    const step = stepCare(SETTING, state, event, now)
    state = step.state
    return step.actions
      .map((action) => Object.values(action).join(' ').trim().replace(/ +/g, ' '))
      .join(', ')
  }
  for (const [now, event, expected = ''] of story) {
    const deadline = nextCareDeadline(state)
    if (event !== timer && deadline !== null && deadline < now)
      t.fail(`at ${deadline} a timer is due, the story tells nothing before ${now}`)
    t.equal(feed(event, now), expected, `at ${now}: ${JSON.stringify(event)}`)
  }
  t.equal(feed(timer, -1), '', 'an early timer changes nothing')
}

const stories: Readonly<Record<string, Story>> = {
  'an address that is removed is put back': [
    [0, master],
    [5, added()],
    [5000, removed(), 'put-back v1'],
    [5010, added()]
  ],
  'a removal 10 s later is a new one, and is put back': [
    [0, master],
    [5, added()],
    [1000, removed(), 'put-back v1'],
    [1010, added()],
    [11_000, removed(), 'put-back v1']
  ],
  'a second removal within 10 s makes the director yield for a minute': [
    [0, master],
    [5, added()],
    [1000, removed(), 'put-back v1'],
    [1010, added()],
    [10_999, removed(), 'yield v1 9999 60000, put-back v1']
  ],
  'a flush of all addresses is one removal of each': [
    [0, master],
    [5, added('v1')],
    [5, added('v2')],
    [1000, removed('v1'), 'put-back v1'],
    [1000, removed('v2'), 'put-back v2'],
    [1010, added('v1')],
    [1010, added('v2')],
    [2000, removed('v2'), 'yield v2 1000 60000, put-back v2'],
    [2000, removed('v1'), 'put-back v1']
  ],
  'a renewal of the lease shows an address that is there': [
    [0, master],
    [5, added()],
    [1005, added()],
    [2005, added()],
    [2500, removed(), 'put-back v1']
  ],
  'what we remove ourselves is no removal': [
    [0, master],
    [5, added()],
    [1000, backup],
    [1003, removed()]
  ],
  'a late message of our own removal is none either, though we are master again': [
    [0, master],
    [5, added()],
    [1000, backup],
    [1001, master],
    [1003, removed()],
    [1004, added()],
    [2000, removed(), 'put-back v1']
  ],
  'the end of a lease is told, and is not put back': [
    [0, master],
    [5, added()],
    [10_000, removed('v1', true), 'expired v1']
  ],
  'with a partner that is master it stays away for the hold-off': [
    [0, master],
    [5, added()],
    [1000, removed(), 'put-back v1'],
    [1010, added()],
    [2000, removed(), 'yield v1 1000 60000, put-back v1'],
    [2001, backup],
    [2650, heard],
    [6249, heard],
    [9800, heard],
    ...Array.from({ length: 16 }, (_, i) => [12_000 + 3000 * i, heard] as const),
    [60_000, heard],
    [61_999, timer],
    [62_000, timer, 'return hold-off-over']
  ],
  'it comes back at once when nobody takes over': [
    [0, master],
    [5, added()],
    [1000, removed(), 'put-back v1'],
    [1010, added()],
    [2000, removed(), 'yield v1 1000 60000, put-back v1'],
    [2001, backup],
    [3499, timer],
    [3500, timer, 'return nobody-heard']
  ],
  'it comes back at once when the partner dies': [
    [0, master],
    [5, added()],
    [1000, removed(), 'put-back v1'],
    [1010, added()],
    [2000, removed(), 'yield v1 1000 60000, put-back v1'],
    [2001, backup],
    [2650, heard],
    [3650, heard],
    [7249, timer],
    [7250, timer, 'return nobody-heard']
  ],
  'where nobody took over it puts back for the rest of the hold-off, then tries again, for longer':
    [
      [0, master],
      [5, added()],
      [1000, removed(), 'put-back v1'],
      [1010, added()],
      [2000, removed(), 'yield v1 1000 60000, put-back v1'],
      [2001, backup],
      [3500, timer, 'return nobody-heard'],
      [7100, master],
      [7105, added()],
      [8000, removed(), 'put-back v1'],
      [8010, added()],
      [8500, removed(), 'put-back v1'],
      [8510, added()],
      [61_999, removed(), 'put-back v1'],
      [62_010, added()],
      [62_020, removed(), 'yield v1 21 120000, put-back v1']
    ],
  'a master that hands over and finds nobody puts back as well': [
    [0, master],
    [5, added()],
    [1000, removed(), 'put-back v1'],
    [1010, added()],
    [2000, removed(), 'yield v1 1000 60000, put-back v1'],
    [2100, added()],
    [2200, removed(), 'put-back v1'],
    [2300, added()],
    [3500, timer, 'return nobody-heard'],
    [3600, removed(), 'put-back v1']
  ],
  'a partner that appears before it is master again is left alone': [
    [0, master],
    [5, added()],
    [1000, removed(), 'put-back v1'],
    [1010, added()],
    [2000, removed(), 'yield v1 1000 60000, put-back v1'],
    [2001, backup],
    [3500, timer, 'return nobody-heard'],
    [4000, heard, 'yield 58000'],
    [7000, heard],
    [10_600, timer, 'return nobody-heard']
  ],
  'hold-offs double up to ten minutes, and begin anew after ten minutes of peace': [
    [0, master],
    [5, added()],
    ...opposed(0, 60_000),
    ...opposed(100_000, 120_000),
    ...opposed(300_000, 240_000),
    ...opposed(700_000, 480_000),
    ...opposed(1_500_000, 600_000),
    ...opposed(2_200_000, 600_000),
    ...opposed(2_802_000 + 600_000, 60_000)
  ],
  'an address that somebody adds to a backup is told once': [
    [0, backup],
    [5000, added(), 'foreign v1'],
    [5500, added()],
    [6000, removed(), 'foreign-gone v1'],
    [7000, added(), 'foreign v1']
  ],
  'a late renewal of our own lease is nobody else': [
    [0, master],
    [5, added()],
    [1000, backup],
    [1002, added()],
    [1003, removed()]
  ],
  'an address that was added to a backup which becomes master is ours': [
    [5000, added(), 'foreign v1'],
    [6000, master],
    [7000, removed(), 'put-back v1']
  ]
}

/** Two removals in a row of an address that is there, and nobody who takes over. */
function opposed(at: number, holdOff: number): Story {
  return [
    [at + 10, added()],
    [at + 1000, removed(), 'put-back v1'],
    [at + 1010, added()],
    [at + 2000, removed(), `yield v1 1000 ${holdOff}, put-back v1`],
    [at + 3500, timer, 'return nobody-heard'],
    [at + 3600, added()]
  ]
}

for (const [title, story] of Object.entries(stories))
  t.test(title, (t) => {
    play(t, story)
    t.end()
  })

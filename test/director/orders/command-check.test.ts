import t from 'tap'
import { checkCommand } from '../../../src/director/orders/command-check.js'

t.test('every command of the contract passes as it is', (t) => {
  const commands = [
    { action: 'reload' },
    { action: 'reopen-logs' },
    { action: 'replace-workers' },
    { action: 'step-down', router: null },
    { action: 'resume', router: 'VI_1' },
    { action: 'priority', router: 'VI_1', priority: 254 },
    { action: 'priority', router: 'VI_1', priority: null },
    { action: 'peer', upstream: 'web', peer: '192.0.2.1:80', state: 'drain' },
    { action: 'peer', upstream: 'web', peer: '192.0.2.1:80', weight: 65_535 },
    { action: 'peer', upstream: 'web', peer: '192.0.2.1:80', state: 'up', weight: null },
    { action: 'proxy', state: 'stop' }
  ]
  for (const command of commands) t.same(checkCommand(command), { ok: true, command })
  t.end()
})

t.test('everything that is wrong is said at once', (t) => {
  t.same(
    checkCommand({ action: 'peer', upstream: '', peer: 7, state: 'off', weight: 0, wait: 1 }),
    {
      ok: false,
      problems: [
        'upstream is ""; use a name of 1 to 256 characters',
        'peer is 7; use a name of 1 to 256 characters',
        'state is "off"; use one of up, down, drain',
        'weight is 0; use a whole number from 1 to 65535, or null for the configured one',
        'peer has no field "wait"'
      ]
    }
  )
  t.end()
})

const NOT_GOOD: readonly [unknown, RegExp][] = [
  [null, /^a command is an object with an action$/],
  [[], /^a command is an object/],
  [{}, /^action is missing; the actions are reload, reopen-logs/],
  [{ action: 'stepdown' }, /^action is "stepdown"; did you mean "step-down"\?; the actions are/],
  [{ action: 'constructor' }, /^action is "constructor"; the actions are/],
  [
    { action: 'step-down' },
    /^router is missing; use the name of a virtual router, or null for all$/
  ],
  [
    { action: 'priority', router: 'VI_1', priority: 255 },
    /^priority is 255; use a whole number from 1 to 254/
  ],
  [{ action: 'priority', router: 'VI_1', priority: 1.5 }, /^priority is 1.5;/],
  [{ action: 'priority', router: 'VI_1', priority: '7' }, /^priority is "7";/],
  [{ action: 'priority', router: null, priority: 7 }, /^router is null;/],
  [{ action: 'resume', router: 'x'.repeat(257) }, /^router is "x{39}…; use/],
  [{ action: 'peer', upstream: 'a', peer: 'b' }, /^neither state nor weight is given/],
  [{ action: 'proxy', state: 'restart' }, /^state is "restart"; use one of stop, start$/]
]

t.test('what cannot be used is refused with what was found and what is expected', (t) => {
  for (const [value, problem] of NOT_GOOD) {
    const checked = checkCommand(value)
    t.match(checked.ok ? 'passed' : checked.problems[0], problem)
  }
  t.end()
})

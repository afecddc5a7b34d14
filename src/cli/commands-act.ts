import { define, type Flag, type Positional } from './definition.js'
import { TARGET_FLAGS } from './flags.js'

/*
 * The commands that tell a running director to do something. Each says what it did.
 */

const PEER = {
  describe: 'its name, host or the beginning of either; UPSTREAM/PEER where it is in several',
  live: 'peers'
} as const satisfies Positional

const ALL = {
  all: { type: 'boolean', alias: 'a', describe: 'every peer that PEER fits, in all upstreams' }
} as const satisfies Readonly<Record<string, Flag>>

const ROUTER = {
  describe: 'name of a virtual router or the beginning of it; without it all of them',
  optional: true,
  live: 'routers'
} as const satisfies Positional

const drain = define({
  name: 'drain',
  group: 'Act',
  describe: 'no new requests for a peer; what it has is finished',
  details: [
    'Until tsha up puts it back, or the director is started anew. Tunnels (WebSocket) go on until they end.'
  ],
  positionals: { peer: PEER },
  flags: {
    wait: { type: 'boolean', alias: 'w', describe: 'until nothing is in flight' },
    'at-most': {
      type: 'string',
      value: 'DURATION',
      describe: 'with --wait: how long (default 10m), then exit code 1'
    },
    ...ALL,
    ...TARGET_FLAGS
  },
  examples: [
    {
      command: 'tsha drain web1 --wait && ssh web1 reboot',
      describe: 'take a web server out without a failed request'
    },
    { command: 'tsha drain --all web1', describe: 'out of every upstream that has it' }
  ],
  run: async (values) => (await import('./peer.js')).drainPeer(values)
})

const up = define({
  name: 'up',
  group: 'Act',
  describe: 'put a peer back that was drained or taken down',
  details: [],
  positionals: { peer: PEER },
  flags: { ...ALL, ...TARGET_FLAGS },
  examples: [{ command: 'tsha up web1', describe: 'it takes requests again' }],
  run: async (values) => (await import('./peer.js')).movePeer(values, 'up')
})

const down = define({
  name: 'down',
  group: 'Act',
  describe: 'no requests for a peer, from this moment',
  details: [
    'Until tsha up puts it back, or the director is started anew. tsha drain is the gentle way.'
  ],
  positionals: { peer: PEER },
  flags: { ...ALL, ...TARGET_FLAGS },
  examples: [{ command: 'tsha down nginx/web1', describe: 'out of the upstream nginx' }],
  run: async (values) => (await import('./peer.js')).movePeer(values, 'down')
})

const weight = define({
  name: 'weight',
  group: 'Act',
  describe: 'give a peer another share of the requests',
  details: [],
  positionals: {
    peer: PEER,
    weight: { describe: '1 to 65535, or default: as the configuration has it' }
  },
  flags: { ...ALL, ...TARGET_FLAGS },
  examples: [
    { command: 'tsha weight web1 5', describe: 'five times what a peer of weight 1 gets' },
    { command: 'tsha weight web1 default', describe: 'back to the configuration' }
  ],
  run: async (values) => (await import('./peer.js')).weighPeer(values)
})

const stepDown = define({
  name: 'step-down',
  group: 'Act',
  describe: 'hand the addresses to the partner, and stand back',
  details: [
    'The partner takes over before this director lets go. It asks nothing before it acts: it says what it did. This director stays out of the way until tsha resume, or until it is started anew.'
  ],
  positionals: { router: ROUTER },
  flags: TARGET_FLAGS,
  examples: [
    { command: 'tsha step-down', describe: 'before work on this machine' },
    { command: 'tsha resume', describe: 'afterwards' }
  ],
  run: async (values) => (await import('./act.js')).moveRouter(values, 'step-down')
})

const resume = define({
  name: 'resume',
  group: 'Act',
  describe: 'take part in the election again after step-down',
  details: [
    'Whether it takes the addresses back is a question of priorities and of preempt, as at a start.'
  ],
  positionals: { router: ROUTER },
  flags: TARGET_FLAGS,
  examples: [{ command: 'tsha resume', describe: 'all virtual routers' }],
  run: async (values) => (await import('./act.js')).moveRouter(values, 'resume')
})

const priority = define({
  name: 'priority',
  group: 'Act',
  describe: 'put a priority in the place of the configured one',
  details: [
    'What checks add to it and take from it stays. It lasts until the director is started anew.'
  ],
  positionals: {
    router: { describe: 'name of a virtual router or the beginning of it', live: 'routers' },
    priority: { describe: '1 to 254, or default: as the configuration has it' }
  },
  flags: TARGET_FLAGS,
  examples: [
    { command: 'tsha priority nginx 150', describe: 'this director wins' },
    { command: 'tsha priority nginx default', describe: 'back to the configuration' }
  ],
  run: async (values) => (await import('./act.js')).setPriority(values)
})

const proxy = define({
  name: 'proxy',
  group: 'Act',
  describe: 'stop or start the reverse proxy, while VRRP goes on',
  details: [
    'A stopped proxy fails the service check, so the partner takes the addresses over. It asks nothing before it acts: it says what it did.'
  ],
  positionals: {
    action: { describe: 'what is to be done', choices: ['stop', 'start'] }
  },
  flags: TARGET_FLAGS,
  examples: [{ command: 'tsha proxy stop', describe: 'this director serves no more' }],
  run: async (values) => (await import('./act.js')).act(values, `proxy/${values.action}`)
})

const reload = define({
  name: 'reload',
  group: 'Act',
  describe: 'read the configuration anew and apply what changed',
  details: [
    'A wrong configuration is refused with everything that is wrong, and the old one stays.'
  ],
  positionals: {},
  flags: TARGET_FLAGS,
  examples: [{ command: 'tsha reload', describe: 'what is different now?' }],
  run: async (values) => (await import('./act.js')).act(values, 'reload')
})

const reopenLogs = define({
  name: 'reopen-logs',
  group: 'Act',
  describe: 'write access and error logs to new files',
  details: ['After the old files were moved away, as logrotate does.'],
  positionals: {},
  flags: TARGET_FLAGS,
  examples: [
    { command: 'mv access.log access.log.1 && tsha reopen-logs', describe: 'rotate by hand' }
  ],
  run: async (values) => (await import('./act.js')).act(values, 'logs/reopen')
})

const replaceWorkers = define({
  name: 'replace-workers',
  group: 'Act',
  describe: 'new worker processes in the place of the old ones',
  details: ['One by one and without a failed request.'],
  positionals: {},
  flags: TARGET_FLAGS,
  examples: [{ command: 'tsha replace-workers', describe: 'after an update of tsha' }],
  run: async (values) => (await import('./act.js')).act(values, 'workers/replace')
})

export const ACT_COMMANDS = [
  drain,
  up,
  down,
  weight,
  stepDown,
  resume,
  priority,
  proxy,
  reload,
  reopenLogs,
  replaceWorkers
] as const

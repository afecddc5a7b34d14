import { define } from './definition.js'
import { LEVELS } from './events-view.js'
import { TARGET_FLAGS } from './flags.js'

/*
 * The commands that only look. Each loads what it needs when it is used, so that none pays for the others.
 */

const status = define({
  name: 'status',
  group: 'Look',
  describe: 'who holds the address, since when and why, and whether all is well',
  details: [
    'Problems come first, worst first. Then, for each virtual router, who holds its addresses and the nearest causes, and tables of virtual routers, checks, upstream servers, listeners and workers.',
    'With --check it is a plugin for a monitoring system: one line, and the exit code 0 (OK), 1 (WARNING), 2 (CRITICAL) or 3 (UNKNOWN). CRITICAL: no director answers, a virtual router in FAULT or INITIALIZE, a backup that hears no master, a proxy that does not run or has no worker that listens, an upstream without a peer that is up. WARNING: every other problem, and what an administrator has stepped down, taken out or drained.'
  ],
  positionals: {},
  flags: {
    watch: {
      type: 'boolean',
      alias: 'w',
      describe: 'live view on the whole terminal until q; with --json a line a second'
    },
    json: { type: 'boolean', describe: 'the status as the admin API gives it' },
    check: { type: 'boolean', describe: 'one line and the exit codes of a monitoring plugin' },
    ...TARGET_FLAGS
  },
  examples: [
    { command: 'tsha status', describe: 'the director of this machine at one glance' },
    { command: 'tsha status --watch', describe: 'look on while something happens' },
    {
      command: "tsha status --json | jq '.virtual_routers[].state'",
      describe: 'for scripts'
    }
  ],
  run: async (values) => (await import('./status.js')).status(values)
})

const why = define({
  name: 'why',
  group: 'Look',
  describe: 'the chain of causes of the present state',
  details: [
    'For each virtual router: what led to its state, the nearest cause first; how its priority comes about; and who was heard as master.'
  ],
  positionals: {
    router: {
      describe: 'name of a virtual router or the beginning of it; without it all of them',
      optional: true,
      live: 'routers'
    }
  },
  flags: TARGET_FLAGS,
  examples: [{ command: 'tsha why', describe: 'why is this director what it is?' }],
  run: async (values) => (await import('./why.js')).why(values)
})

const events = define({
  name: 'events',
  group: 'Look',
  describe: 'what happened, and with -f what happens',
  details: [
    'The director keeps the newest 2000 events: changes of state, checks and peers that fail or recover, workers, and what administrators did. Times are those of this machine.'
  ],
  positionals: {},
  flags: {
    follow: { type: 'boolean', alias: 'f', describe: 'go on with what happens from now' },
    since: { type: 'string', value: 'DURATION', describe: 'only those of the last 10m, 2h or 1d' },
    lines: {
      type: 'string',
      value: 'N',
      alias: 'n',
      describe: 'the newest N (default 50; all with --since)'
    },
    level: {
      type: 'string',
      value: 'LEVEL',
      choices: LEVELS,
      describe: 'only those as bad as this or worse (default info)'
    },
    json: { type: 'boolean', describe: 'one JSON object a line' },
    ...TARGET_FLAGS
  },
  examples: [
    { command: 'tsha events -f', describe: 'look on' },
    { command: 'tsha events --since 10m --level warn', describe: 'what went wrong just now?' }
  ],
  run: async (values) => (await import('./events.js')).events(values)
})

const top = define({
  name: 'top',
  group: 'Look',
  describe: 'live requests each second, statuses and latencies',
  details: [
    'For each listener and each peer: requests each second, by the class of their status; NONE are those without a response. Latencies are the median and the 99th percentile of the last minute. Not on a terminal, it measures one second and ends.'
  ],
  positionals: {},
  flags: TARGET_FLAGS,
  examples: [{ command: 'tsha top', describe: 'which server is slow?' }],
  run: async (values) => (await import('./top.js')).top(values)
})

const metrics = define({
  name: 'metrics',
  group: 'Look',
  describe: 'the metrics that Prometheus scrapes',
  details: [],
  positionals: {},
  flags: TARGET_FLAGS,
  examples: [{ command: 'tsha metrics | grep peer', describe: 'figures of the peers' }],
  run: async (values) => (await import('./fetch.js')).metrics(values)
})

const recording = define({
  name: 'recording',
  group: 'Look',
  describe: 'the flight recording, on standard output',
  details: [
    'Every input and decision of the director that it still remembers, one JSON value a line. tsha replay reads it.'
  ],
  positionals: {},
  flags: TARGET_FLAGS,
  examples: [{ command: 'tsha recording > director1.ndjson', describe: 'keep what led to this' }],
  run: async (values) => (await import('./fetch.js')).recording(values)
})

export const LOOK_COMMANDS = [status, why, events, top, metrics, recording] as const

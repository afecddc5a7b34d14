import { z } from 'zod'
import {
  absolutePath,
  accountName,
  anyDuration,
  checkDuration,
  count,
  duration,
  ipAddress,
  section,
  switchOff,
  text,
  whole
} from './schema-parts.js'

/* The shape, units and defaults of what elections follow, and of the programs that they start. */

const COMMAND_ERROR = 'is not a command; use text, or a list of a program and its arguments'

const commandLine = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)], {
  error: COMMAND_ERROR
})

const account = { user: accountName.optional(), group: accountName.optional() }

/** A program as text, as a list, or with the user that it runs as. */
export const program = z.union(
  [
    z.string().min(1),
    z.array(z.string().min(1)).min(1),
    section({ command: commandLine, ...account })
  ],
  { error: `${COMMAND_ERROR}, or { command: …, user: … }` }
)

const scriptCheck = section({
  type: z.literal('script').optional(),
  command: commandLine,
  interval: checkDuration.prefault('1s'),
  timeout: checkDuration.optional(),
  rise: count.default(1),
  fall: count.default(1),
  init_fail: switchOff(),
  ...account
})

const MAX_DELAY_MS = 3_600_000
const processDelay = duration(0, MAX_DELAY_MS)

const processCheck = section({
  type: z.literal('process'),
  process: text('the name or path of a program', /^[^\0]+$/),
  parameters: text('the arguments of the program', /^[^\0]*$/).optional(),
  param_match: z
    .enum(['exact', 'partial', 'initial'], {
      error: 'is not a way to compare; use exact, partial or initial'
    })
    .default('exact'),
  full_command: switchOff(),
  quorum: whole(0, 65_535).default(1),
  quorum_max: whole(0, 65_535).optional(),
  terminate_delay: processDelay.prefault('0s'),
  fork_delay: processDelay.prefault('0s'),
  interval: checkDuration.prefault('1s')
})

/** The numbers of a file have 32 bits. */
const MAX_FILE_VALUE = 0x7f_ff_ff_ff

const fileCheck = section({
  type: z.literal('file'),
  path: absolutePath(),
  init_file: section({
    value: whole(-MAX_FILE_VALUE, MAX_FILE_VALUE).default(0),
    overwrite: switchOff()
  }).optional()
})

/** One entry of `checks`. */
export const check = z.discriminatedUnion('type', [scriptCheck, processCheck, fileCheck], {
  error: ({ input }) =>
    typeof input === 'object' && input !== null
      ? 'is not a kind of check; use script, process or file'
      : 'is not a mapping; use keys such as type, command, interval'
})

const FILE_WEIGHT_MAX = 254
const weightRange = 'use -253 to 253, or -254 to 254 for a file'

/** One entry of a `track` list; what belongs together is looked at by track-rules.ts. */
export const track = section({
  check: text('service, or the name of a check', /^.+$/).optional(),
  interface: text('the name of a network interface', /^[^\s/]{1,15}$/).optional(),
  weight: z
    .int({ error: `is not a whole number; ${weightRange}` })
    .min(-FILE_WEIGHT_MAX, { error: `is out of range; ${weightRange}` })
    .max(FILE_WEIGHT_MAX, { error: `is out of range; ${weightRange}` }),
  reverse: switchOff(),
  interval: checkDuration.optional(),
  timeout: checkDuration.optional(),
  fall: count.optional(),
  rise: count.optional()
})

export const tracks = z
  .array(track, { error: 'is not a list; use one entry for each check' })
  .default([])

/** Programs that are told of changes. */
export const notify = section({
  master: program.optional(),
  backup: program.optional(),
  fault: program.optional(),
  stop: program.optional(),
  deleted: program.optional(),
  any: program.optional(),
  master_rx_lower_pri: program.optional()
})

export const notifyFifo = section({
  path: absolutePath(),
  ...account,
  reader: program.optional()
})

/** The longest delay of a link that keepalived takes. */
const MAX_LINK_DELAY_MS = 255_000
const linkDelay = duration(0, MAX_LINK_DELAY_MS)

/** One entry of `link_delays`. */
export const linkDelays = section({ down: linkDelay.prefault('0s'), up: linkDelay.prefault('0s') })

const repeat = whole(1, 1000)
const gap = duration(0, 1_000_000)

/** Gratuitous ARP and unsolicited neighbour advertisements. */
export const announcements = section({
  repeat: repeat.default(5),
  delay: anyDuration.prefault('5s'),
  refresh: anyDuration.prefault('0s'),
  refresh_repeat: repeat.default(1),
  lower_prio_repeat: whole(0, 1000).optional(),
  lower_prio_delay: anyDuration.optional(),
  garp_interval: gap.prefault('0s'),
  gna_interval: gap.prefault('0s'),
  gateway: ipAddress().optional()
})

export type ValidFileCheck = z.output<typeof fileCheck>
export type ValidTrack = z.output<typeof track>
export type ValidProgram = z.output<typeof program>
export type ValidNotify = z.output<typeof notify>
export type ValidAnnouncements = z.output<typeof announcements>

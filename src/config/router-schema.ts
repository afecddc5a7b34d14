import { z } from 'zod'
import {
  CHECK_INTERVAL_MAX_MS,
  checkDuration,
  count,
  duration,
  parsed,
  section,
  text,
  whole
} from './schema-parts.js'
import { parseVirtualAddress } from './units.js'

/* The shape, units and defaults of elections and of what they follow. */

/** Name of the check that asks tsha's own proxy; no script check may have it. */
export const SERVICE_CHECK = 'service'

export const priority = z
  .int({ error: 'is not a whole number; use 1 to 254' })
  .min(1, { error: 'is out of range; use 1 to 254' })
  .max(254, {
    error: ({ input }) =>
      input === 255
        ? 'means the address owner, which is not supported; use 1 to 254'
        : 'is out of range; use 1 to 254'
  })

const weight = z
  .int({ error: 'is not a whole number; use -253 to 253, but not 0' })
  .min(-253, { error: 'is out of range; use -253 to 253, but not 0' })
  .max(253, { error: 'is out of range; use -253 to 253, but not 0' })
  .refine((value) => value !== 0, {
    error:
      '(the virtual router stops when the check fails) is not supported; use -253 to 253, but not 0'
  })

const track = section({
  check: text(`${SERVICE_CHECK}, or the name of a check`, /^.+$/),
  weight,
  interval: checkDuration.optional(),
  timeout: checkDuration.optional(),
  fall: count.optional(),
  rise: count.optional()
})

const authentication = section({
  type: z.literal('pass', { error: 'is not supported; use pass' }),
  password: text('quoted text of 1 to 8 ASCII characters', /^[\x20-\x7e]+$/)
})

const virtualAddresses = z
  .array(parsed('an IPv4 address such as 192.0.2.1/24', parseVirtualAddress), {
    error: 'is not a list; use addresses such as [192.0.2.1/24]'
  })
  .min(1, { error: 'is empty; use 1 to 255 addresses' })
  .max(255, { error: 'is too long; use 1 to 255 addresses' })

const MIN_LEASE_MS = 2000

export const virtualRouter = section({
  interface: text('the name of a network interface', /^[^\s/]{1,15}$/),
  vrid: whole(1, 255),
  priority: z
    .union([priority, z.strictObject({ master: priority, backup: priority })], {
      error: ({ input }) =>
        input === 255
          ? 'means the address owner, which is not supported; use 1 to 254'
          : 'is not a priority; use 1 to 254, or both as in { master: 100, backup: 90 }'
    })
    .optional(),
  advert_interval: duration(1000, 255_000, true).prefault('1s'),
  authentication: authentication.optional(),
  addresses: virtualAddresses,
  track: z.array(track, { error: 'is not a list; use one entry for each check' }).default([]),
  hand_over: z
    .enum(['make_before_break', 'keepalived'], {
      error: 'is not a way to hand over; use make_before_break or keepalived'
    })
    .default('make_before_break'),
  address_lease: z
    .union([z.literal('off'), duration(MIN_LEASE_MS, CHECK_INTERVAL_MAX_MS, true)], {
      error: 'is not a lease; use whole seconds such as "3s", at least "2s", or off'
    })
    .prefault('3s')
})

export const check = section({
  command: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)], {
    error: 'is not a command; use text, or a list of a program and its arguments'
  }),
  interval: checkDuration.prefault('1s'),
  timeout: checkDuration.optional(),
  rise: count.default(1),
  fall: count.default(1)
})

/** One entry of `virtual_routers`. */
export type ValidVirtualRouter = z.output<typeof virtualRouter>

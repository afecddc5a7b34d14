import { z } from 'zod'
import { announcements, notify, tracks } from './check-schema.js'
import {
  CHECK_INTERVAL_MAX_MS,
  anyDuration,
  duration,
  interfaceName,
  ipAddress,
  parsed,
  section,
  switchOff,
  text,
  whole,
  yesOrNo
} from './schema-parts.js'
import { parseVirtualAddress } from './addresses.js'

/* The shape, units and defaults of elections; what joins several values is in router-rules.ts. */

/** Name of the check that asks tsha's own proxy; no other check may have it. */
export const SERVICE_CHECK = 'service'

/** The longest `preempt_delay` that keepalived takes. */
const MAX_PREEMPT_DELAY_MS = 1_000_000
const MIN_LEASE_MS = 1000
const HMAC_WINDOW_MAX_MS = 300_000

export const priority = whole(1, 255)

/** Bytes of an HMAC key, as draft-cassen-vrrp-auth-hmac and keepalived have it. */
export const HMAC_KEY_BYTES = { min: 32, max: 64 } as const

const hmacKey = section({
  id: whole(1, 255),
  key: text('a key such as "hex:00112233…", text, or file:/path', /^[^\0\n]+$/)
})

const authentication = z.discriminatedUnion(
  'type',
  [
    section({
      type: z.literal('pass'),
      password: text('quoted text of 1 to 8 ASCII characters', /^[\x20-\x7e]+$/)
    }),
    section({
      type: z.literal('hmac'),
      keys: z
        .array(hmacKey, { error: 'is not a list; use keys such as [{ id: 1, key: "hex:…" }]' })
        .min(1, { error: 'is empty; use at least one key' }),
      mode: z
        .enum(['enforce', 'permissive', 'receive-only'], {
          error: 'is not a mode; use enforce, permissive or receive-only'
        })
        .default('enforce'),
      anti_replay: z
        .enum(['time', 'monotonic'], { error: 'is not a way; use time or monotonic' })
        .default('time'),
      window: duration(1000, HMAC_WINDOW_MAX_MS).optional()
    })
  ],
  {
    error: ({ input }) =>
      typeof input === 'object' && input !== null
        ? 'is not supported; use pass or hmac'
        : 'is not a mapping; use keys such as type, password'
  }
)

const addressText = parsed(
  'an address with its prefix length such as 192.0.2.1/24 or 2001:db8::1/64',
  parseVirtualAddress
)

const addressSection = section({
  address: addressText,
  interface: interfaceName.optional(),
  label: text('a label of up to 15 characters', /^[^\s/]{1,15}$/).optional(),
  broadcast: text('an IPv4 address, + or -', /^(?:[+-]|[0-9.]+)$/).optional(),
  scope: z
    .enum(['global', 'site', 'link', 'host', 'nowhere'], {
      error: 'is not a scope; use global, site, link, host or nowhere'
    })
    .optional(),
  peer: parsed(
    'an address such as 192.0.2.2 or 192.0.2.2/30, of the other end of the link',
    parseVirtualAddress
  ).optional(),
  noprefixroute: switchOff(),
  deprecated: yesOrNo.optional(),
  no_track: switchOff()
})

const virtualAddress = z.union([addressText, addressSection], {
  error: 'is not an address; use one such as 192.0.2.1/24 or 2001:db8::1/64'
})

const addressList = z.array(virtualAddress, {
  error: 'is not a list; use addresses such as [192.0.2.1/24]'
})

const unicastPeer = z.union(
  [
    ipAddress(),
    section({
      address: ipAddress(),
      min_ttl: whole(0, 255).default(0),
      max_ttl: whole(0, 255).default(255)
    })
  ],
  { error: 'is not a peer; use an IP address, or { address: 192.0.2.3, min_ttl: 254 }' }
)

const unicast = section({
  peers: z
    .array(unicastPeer, { error: 'is not a list; use addresses such as [192.0.2.3]' })
    .min(1, { error: 'is empty; use the address of each partner' }),
  ttl: whole(0, 255).default(255),
  check_source: switchOff()
})

export const virtualRouter = section({
  interface: interfaceName,
  vrid: whole(1, 255),
  version: z
    .union([z.literal(2), z.literal(3)], { error: 'is not a version of VRRP; use 2 or 3' })
    .optional(),
  state: z.enum(['master', 'backup'], { error: 'is not a state; use master or backup' }).optional(),
  priority: z
    .union([priority, z.strictObject({ master: priority, backup: priority })], {
      error: 'is not a priority; use 1 to 255, or both as in { master: 100, backup: 90 }'
    })
    .optional(),
  // The range depends on the version: timing-rules.ts.
  advert_interval: anyDuration.prefault('1s'),
  down_timer_adverts: whole(1, 100).default(3),
  authentication: authentication.optional(),
  checksum: z
    .enum(['pseudo_header', 'plain'], {
      error: 'is not a form of the checksum; use pseudo_header or plain'
    })
    .default('pseudo_header'),
  addresses: addressList
    .min(1, { error: 'is empty; use 1 to 255 addresses' })
    .max(255, { error: 'is too long; use 1 to 255 addresses, and excluded_addresses for more' }),
  excluded_addresses: addressList.default([]),
  source_address: ipAddress().optional(),
  multicast_group: ipAddress().optional(),
  unicast: unicast.optional(),
  preempt: yesOrNo.default(true),
  preempt_delay: duration(0, MAX_PREEMPT_DELAY_MS).prefault('0s'),
  lower_prio_advert: yesOrNo.default(true),
  higher_prio_advert: switchOff(),
  owner_ignore_adverts: switchOff(),
  track_primary: yesOrNo.default(true),
  promote_secondaries: switchOff(),
  announcements: announcements.prefault({}),
  track: tracks,
  notify: notify.prefault({}),
  notify_priority_changes: switchOff(),
  hand_over: z
    .enum(['make_before_break', 'keepalived'], {
      error: 'is not a way to hand over; use make_before_break or keepalived'
    })
    .default('make_before_break'),
  address_lease: z
    .union([z.literal('off'), duration(MIN_LEASE_MS, CHECK_INTERVAL_MAX_MS, true)], {
      error: 'is not a lease; use whole seconds such as "3s", at least "1s", or off'
    })
    .optional()
})

/** One entry of `sync_groups`. */
export const syncGroup = section({
  members: z
    .array(text('the name of a virtual router', /^.+$/), {
      error: 'is not a list; use names of virtual routers such as [inside, outside]'
    })
    .min(1, { error: 'is empty; use the names of two virtual routers or more' }),
  tracking_weight: switchOff(),
  track: tracks,
  notify: notify.prefault({})
})

export type ValidVirtualRouter = z.output<typeof virtualRouter>
export type ValidSyncGroup = z.output<typeof syncGroup>
export type ValidVirtualAddress = z.output<typeof virtualAddress>

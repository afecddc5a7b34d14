import { createHmac } from 'node:crypto'
import type { Authentication, Destination, HmacKey, VirtualRouter } from '../../src/vrrp/model.js'
import type { AdvertisementToSend } from '../../src/vrrp/send.js'
import { encodePassword } from '../../src/vrrp/wire/advertisement-v2.js'
import { PAIR_MASTER } from './router.js'

/** A packet of keepalived in `golden/`, and how the virtual router that sent it was configured. */
export interface Golden {
  readonly file: string
  readonly router: VirtualRouter
  readonly sent: AdvertisementToSend
  /** The address of a partner that hears it. */
  readonly listener: string
}

const IPV6_SENDER = 'fe80::c0ff:fea8:4082'
const IPV6_ADDRESSES = ['fe80::64:200', '2001:db8:64::200']
const THREE_ADDRESSES = ['192.168.64.202', '192.168.64.200', '10.9.8.7']
const MULTICAST6: Destination = { kind: 'multicast', group: 'ff02::12' }

/** The key of golden/capture.mjs: the bytes 0 to 31. */
export const KEY = hmacKey(
  7,
  Uint8Array.from({ length: 32 }, (_, i) => i)
)

export function hmacKey(id: number, secret: Uint8Array): HmacKey {
  return { id, digest: (data) => createHmac('sha256', secret).update(data).digest() }
}

export const HMAC: Extract<Authentication, { type: 'hmac' }> = {
  type: 'hmac',
  keys: [KEY],
  mode: 'enforce',
  antiReplay: 'time',
  window: 5000
}

/** When the packets with HMAC were captured. */
export const CAPTURED_AT = 0x6b036b20 * 1000

function unicast(ttl: number, ...addresses: string[]): Destination {
  const peers = addresses.map((address) => ({ address, ttl: null }))
  return { kind: 'unicast', peers, checkSource: false, ttl }
}

const V2: VirtualRouter = { ...PAIR_MASTER, authentication: { type: 'none' } }
const V3: VirtualRouter = { ...V2, version: 3 }
const V3_IPV6: VirtualRouter = {
  ...V3,
  family: 'ipv6',
  primaryAddress: IPV6_SENDER,
  addresses: IPV6_ADDRESSES,
  destination: MULTICAST6
}
const UNICAST4 = unicast(255, '192.168.64.134', '192.168.64.135')

const FIRST = { priority: 100, identification: 1, stamp: null }
const TO_GROUP: AdvertisementToSend = { ...FIRST, destination: '224.0.0.18' }
const TO_GROUP6: AdvertisementToSend = { ...FIRST, destination: 'ff02::12' }
const TO_PARTNER: AdvertisementToSend = { ...FIRST, destination: '192.168.64.134' }

function golden(file: string, router: VirtualRouter, sent: AdvertisementToSend = TO_GROUP): Golden {
  const listener = router.family === 'ipv4' ? '192.168.64.134' : 'fe80::134'
  return { file, router, sent, listener }
}

export const GOLDEN: readonly Golden[] = [
  golden('advertisement-100', PAIR_MASTER),
  golden(
    'v2-none',
    { ...V2, vrid: 7, adverInterval: 2000, addresses: ['192.168.64.200'] },
    { ...TO_GROUP, priority: 150 }
  ),
  golden('v2-pass-three-addresses', {
    ...V2,
    authentication: { type: 'pass', data: encodePassword('12345678') },
    addresses: THREE_ADDRESSES
  }),
  golden('v2-unicast', { ...PAIR_MASTER, destination: UNICAST4 }, TO_PARTNER),
  golden('v2-hmac', { ...V2, authentication: HMAC }, { ...TO_GROUP, stamp: 0x6b036b20_c72d_0000n }),
  golden('v3-ipv4', { ...V3, adverInterval: 250 }),
  golden('v3-ipv4-plain-checksum', { ...V3, checksumPseudoHeader: false }),
  golden(
    'v3-ipv4-resigns',
    { ...V3, adverInterval: 4050, addresses: THREE_ADDRESSES },
    { ...TO_GROUP, priority: 0, identification: 2 }
  ),
  golden(
    'v3-ipv4-unicast',
    { ...V3, destination: unicast(64, '192.168.64.134', '192.168.64.135') },
    TO_PARTNER
  ),
  golden(
    'v3-ipv4-hmac',
    { ...V3, authentication: HMAC, addresses: THREE_ADDRESSES },
    { ...TO_GROUP, stamp: 0x6b036b20_d116_0000n }
  ),
  golden(
    'v3-unicast-hmac',
    { ...V3, authentication: HMAC, destination: UNICAST4 },
    { ...TO_PARTNER, stamp: 0x6b036b20_c6f6_0000n }
  ),
  golden('v3-ipv6', V3_IPV6, TO_GROUP6),
  golden(
    'v3-ipv6-unicast',
    { ...V3_IPV6, destination: unicast(64, 'fe80::134') },
    { ...TO_GROUP6, destination: 'fe80::134' }
  ),
  golden(
    'v3-ipv6-hmac',
    { ...V3_IPV6, authentication: HMAC },
    { ...TO_GROUP6, stamp: 0x6b036b20_c8d9_0000n }
  )
]

/** The virtual router of the partner that hears a golden packet. */
export function listenerOf({ router, listener }: Golden): VirtualRouter {
  const { destination, primaryAddress } = router
  return {
    ...router,
    primaryAddress: listener,
    destination:
      destination.kind === 'multicast'
        ? destination
        : { ...destination, peers: [{ address: primaryAddress, ttl: null }], checkSource: true }
  }
}

import type { VirtualRouter } from '../../src/vrrp/model.js'
import { encodePassword } from '../../src/vrrp/wire/advertisement-v2.js'

/** The master of the pair: VRRPv2, VRID 51, PASS 123456, one address. */
export const PAIR_MASTER: VirtualRouter = {
  name: 'nginx',
  vrid: 51,
  version: 2,
  family: 'ipv4',
  adverInterval: 1000,
  downTimerAdverts: 3,
  primaryAddress: '192.168.64.130',
  addresses: ['192.168.64.200'],
  authentication: { type: 'pass', data: encodePassword('123456') },
  checksumPseudoHeader: true,
  destination: { kind: 'multicast', group: '224.0.0.18' },
  preempts: true,
  preemptDelay: 0,
  isOwner: false,
  ignoresAdverts: false,
  startsAsMaster: true,
  answersLowerPriority: true,
  yieldsWithAdvert: false,
  announcements: { delay: 5000, refresh: 0, lowerPriorityDelay: 5000 },
  makesBeforeBreak: true,
  isGrouped: false
}

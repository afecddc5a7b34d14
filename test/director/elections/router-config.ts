import type { ElectionConfig, VirtualRouterConfig } from '../../../src/config/model.js'

/** A virtual router with the defaults of the model. */
export const ROUTER: VirtualRouterConfig = {
  name: 'VI_1',
  interface: 'ens160',
  vrid: 51,
  version: 2,
  family: 'ipv4',
  priority: 100,
  initialState: 'backup',
  advertIntervalMs: 1000,
  downTimerAdverts: 3,
  authentication: null,
  checksumPseudoHeader: true,
  addresses: [],
  excludedAddresses: [],
  sourceAddress: null,
  multicastGroup: '224.0.0.18',
  unicast: null,
  preempt: true,
  preemptDelayMs: 0,
  answersLowerPriority: true,
  yieldsWithAdvert: false,
  ignoresAdverts: false,
  tracksInterface: true,
  promotesSecondaries: false,
  announcements: {
    repeat: 5,
    delayMs: 5000,
    refreshMs: 0,
    refreshRepeat: 1,
    lowerPriorityRepeat: 5,
    lowerPriorityDelayMs: 5000,
    garpIntervalMs: 0,
    gnaIntervalMs: 0,
    gateway: null
  },
  track: [],
  notify: {
    master: null,
    backup: null,
    fault: null,
    stop: null,
    deleted: null,
    any: null,
    masterRxLowerPriority: null
  },
  tellsPriority: false,
  handOver: 'make-before-break',
  addressLeaseMs: null
}

/** An election that waits for nothing and prefers itself to nobody. */
export const PLAIN_ELECTION: ElectionConfig = {
  startupDelayMs: 0,
  delayAfterBootMs: 0,
  notifyFifo: null,
  linkDelays: [],
  nice: 0,
  realtimePriority: null,
  lockMemory: false,
  logUnknownVrids: false
}

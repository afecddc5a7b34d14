import t from 'tap'
import { CONFIG_FIELDS, diffConfigs, ELECTION_FIELDS } from '../../src/config/diff.js'
import type {
  Config,
  FileCheck,
  Notify,
  ProcessCheck,
  ScriptCheck,
  SyncGroup,
  Track,
  VirtualAddress,
  VirtualRouterConfig
} from '../../src/config/model.js'
import type { ProxyConfig } from '../../src/proxy/model.js'
import { ROUTER } from '../director/elections/router-config.js'
import { load, readExample } from './support.js'

const ADDRESS: VirtualAddress = {
  address: '192.168.64.200',
  prefixLength: 24,
  interface: 'ens161',
  broadcast: '192.168.64.255',
  label: 'ens161:1',
  scope: 'global',
  peer: '192.168.64.9',
  noPrefixRoute: false,
  isDeprecated: false,
  noTrack: false
}
const COMMAND = { command: ['/bin/tell', 'secret'], user: 'nobody', group: 'nogroup' }
const NOTIFY: Notify = {
  master: COMMAND,
  backup: COMMAND,
  fault: COMMAND,
  stop: COMMAND,
  deleted: COMMAND,
  any: COMMAND,
  masterRxLowerPriority: COMMAND
}
const TRACK: Track = { kind: 'script', check: 'uplink', weight: -20, reverse: false }
const FULL_ROUTER: VirtualRouterConfig = {
  ...ROUTER,
  authentication: {
    type: 'hmac',
    keys: [{ id: 1, secret: new Uint8Array([115, 101, 99, 114, 101, 116]) }],
    mode: 'enforce',
    antiReplay: 'time',
    windowMs: 5000
  },
  addresses: [ADDRESS],
  excludedAddresses: [{ ...ADDRESS, address: '192.168.64.199' }],
  sourceAddress: '192.168.64.130',
  unicast: {
    peers: [{ address: '192.168.64.131', ttl: { min: 254, max: 255 } }],
    ttl: 255,
    checkSource: true
  },
  announcements: { ...ROUTER.announcements, gateway: '192.168.64.1' },
  track: [TRACK],
  notify: NOTIFY,
  addressLeaseMs: 2000
}
const SCRIPT: ScriptCheck = {
  ...COMMAND,
  name: 'uplink',
  rise: 1,
  fall: 2,
  intervalMs: 1000,
  timeoutMs: 2000,
  initFail: false
}
const PROCESS: ProcessCheck = {
  name: 'db',
  process: '/usr/bin/db',
  parameters: '--token secret',
  parameterMatch: 'exact',
  fullCommand: true,
  quorum: 1,
  quorumMax: Infinity,
  terminateDelayMs: 0,
  forkDelayMs: 0,
  intervalMs: 1000
}
const FILE: FileCheck = { name: 'weight', path: '/run/w', initial: { value: 1, overwrites: true } }
const GROUP: SyncGroup = {
  name: 'G',
  members: ['VI_1'],
  tracksWeights: false,
  track: [TRACK],
  notify: NOTIFY
}

/** A configuration in which every field has a value that can be changed. */
async function everything(t: Parameters<typeof load>[0]): Promise<Config> {
  const { config } = await load(t, { 'nginx.conf': await readExample('nginx.conf') })
  const proxy = config.proxy as ProxyConfig
  const check = {
    ...{ type: 'http' as const, path: '/', host: 'web', intervalMs: 1000, fastIntervalMs: 500 },
    ...{ timeoutMs: 1000, rise: 1, fall: 2, expectStatus: [[200, 399]] as const, expectBody: 'ok' }
  }
  return {
    role: 'master',
    routerId: 'NGINX_MASTER',
    virtualRouters: [FULL_ROUTER],
    syncGroups: [GROUP],
    election: {
      startupDelayMs: 0,
      delayAfterBootMs: 0,
      notifyFifo: { path: '/run/fifo', user: 'nobody', group: 'nogroup', reader: COMMAND },
      linkDelays: [{ interface: 'ens160', downMs: 100, upMs: 100 }],
      nice: -5,
      realtimePriority: 50,
      lockMemory: false,
      logUnknownVrids: false
    },
    scripts: [SCRIPT],
    processes: [PROCESS],
    files: [FILE],
    serviceCheck: { intervalMs: 2000, timeoutMs: 2000, rise: 1, fall: 1 },
    admin: {
      socket: '/run/tsha/admin.sock',
      socketGroup: 'adm',
      listen: {
        host: '127.0.0.1',
        port: 9112,
        hostNames: ['director1'],
        tokenFile: '/etc/tsha/token',
        tls: { certificate: '/etc/tsha/cert', key: '/etc/tsha/key' }
      },
      recordings: '/var/lib/tsha'
    },
    proxy: {
      ...proxy,
      user: 'nobody',
      group: 'nogroup',
      errorLog: { path: '/var/log/e', level: 'warn' },
      upstreams: proxy.upstreams.map((each) => ({
        ...each,
        check,
        queue: { requests: 10, timeoutMs: 1000 }
      }))
    },
    pidFile: '/run/tsha.pid'
  }
}

type Path = readonly (string | number)[]

/** Every value in a configuration that is no list and no group of others. */
function leavesOf(value: unknown, path: Path = []): readonly Path[] {
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([key, member]) =>
    leavesOf(member, [...path, Array.isArray(value) ? Number(key) : key])
  )
}

function withOther(value: unknown, [key, ...rest]: Path): unknown {
  if (key === undefined) return otherThan(value)
  if (Array.isArray(value)) {
    return value.map((member: unknown, i) => (i === key ? withOther(member, rest) : member))
  }
  const record = value as Readonly<Record<string, unknown>>
  return { ...record, [key]: withOther(record[key], rest) }
}

function otherThan(value: unknown): unknown {
  if (typeof value === 'boolean') return !value
  if (typeof value === 'number') return value === Infinity ? 5 : value + 1
  if (value instanceof Uint8Array) return new Uint8Array([1, ...value])
  return value === null ? 'something' : `${JSON.stringify(value)}-other`
}

t.test(
  'no field of the model is forgotten: a change of each one is told, without a secret',
  async (t) => {
    const before = await everything(t)
    const leaves = leavesOf(before)
    t.ok(leaves.length > 150, `${leaves.length} fields`)
    for (const path of leaves) {
      const lines = diffConfigs(before, withOther(before, path) as Config)
      const what = `${path.join('.')}: ${lines.join('; ')}`
      if (lines.length === 0) t.fail(what)
      if (/secret|115/.test(lines.join())) t.fail(`a secret in ${what}`)
    }
    t.strictSame(diffConfigs(before, structuredClone(before)), [], 'the same needs nothing')
  }
)

t.test(
  'how each field is applied is named; a director follows all but what is read at its start',
  (t) => {
    const named = Object.entries({ ...CONFIG_FIELDS, ...ELECTION_FIELDS })
    t.strictSame(
      named.filter(([, how]) => how === 'next-start').map(([field]) => field),
      ['startupDelayMs', 'delayAfterBootMs', 'nice', 'realtimePriority', 'lockMemory']
    )
    t.end()
  }
)

t.test('changes are told in the words of tsha.yaml', async (t) => {
  const before = await everything(t)
  const told = (change: Partial<Config>): readonly string[] =>
    diffConfigs(before, { ...before, ...change })
  const router = (change: Partial<VirtualRouterConfig>): readonly string[] =>
    told({ virtualRouters: [{ ...FULL_ROUTER, ...change }] })
  const start = 'virtual router VI_1: '
  t.strictSame(router({ priority: 110, advertIntervalMs: 500 }), [
    `${start}priority 100 -> 110`,
    `${start}advert_interval 1s -> 500ms`
  ])
  t.strictSame(router({ addresses: [{ ...ADDRESS, address: '192.168.64.201' }] }), [
    `${start}address 192.168.64.200/24 on ens161 removed`,
    `${start}address 192.168.64.201/24 on ens161 added`
  ])
  t.strictSame(router({ authentication: { type: 'pass', password: 'secret' } }), [
    `${start}authentication hmac -> pass`
  ])
  t.strictSame(router({ track: [{ ...TRACK, weight: -30 }] }), [
    `${start}no longer tracks script uplink, weight -20`,
    `${start}tracks script uplink, weight -30`
  ])
  t.strictSame(router({ vrid: 52 }), ['virtual router VI_1: removed', 'virtual router VI_1: added'])
  t.strictSame(router({ name: 'web' }), ['virtual router web: name VI_1 -> web'])
  t.strictSame(told({ election: { ...before.election, nice: -10 } }), [
    'nice -5 -> -10, from the next start on'
  ])
  t.strictSame(told({ proxy: null, serviceCheck: null }), [
    'service check: removed',
    'proxy: removed'
  ])
})

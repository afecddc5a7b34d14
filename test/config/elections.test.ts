import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { describeConfig } from '../../src/config/describe.js'
import { loadConfig } from '../../src/config/load.js'
import type { LoadedConfig } from '../../src/config/model.js'
import { ROOT_MACHINE } from './support.js'
import type { TestDirectory } from './support.js'

const KEY = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'

const YAML = `
virtual_routers:
  inside:
    interface: eth0
    vrid: 51
    version: 3
    state: backup
    priority: 150
    advert_interval: 250ms
    down_timer_adverts: 6
    authentication:
      type: hmac
      keys: [{ id: 2, key: "file:DIR/vrrp.key" }, { id: 1, key: "hex:${KEY}" }]
      mode: permissive
      window: 7s
    checksum: plain
    addresses:
      - 192.0.2.1/24
      - { address: 192.0.2.2/24, interface: eth1, label: "eth1:1", broadcast: "+", scope: link, peer: 192.0.2.66/30, deprecated: true, noprefixroute: true, no_track: true }
    excluded_addresses: ["2001:db8::1/64"]
    source_address: 192.0.2.10
    unicast:
      peers: [192.0.2.11, { address: 192.0.2.12, min_ttl: 254 }]
      ttl: 64
      check_source: true
    preempt: true
    preempt_delay: 90s
    lower_prio_advert: false
    higher_prio_advert: true
    track_primary: false
    promote_secondaries: true
    notify_priority_changes: true
    announcements:
      repeat: 3
      delay: 2s
      refresh: 60s
      refresh_repeat: 2
      lower_prio_repeat: 1
      lower_prio_delay: 4s
      garp_interval: 1ms
      gna_interval: 2ms
    track:
      - { interface: eth2, weight: -10, reverse: true }
      - { check: disk, weight: -30 }
      - { check: haproxy, weight: 20 }
      - { check: load, weight: 1 }
    notify:
      any: { command: "DIR/tell --all", user: nobody, group: nginx }
      master: DIR/tell
      backup: DIR/tell
      fault: DIR/tell
      stop: DIR/tell
      deleted: DIR/tell
      master_rx_lower_pri: DIR/tell
  outside:
    interface: eth0
    vrid: 51
    state: backup
    priority: 150
    addresses: ["fe80::1/64"]
    multicast_group: ff02::13
    announcements: { lower_prio_repeat: 5, lower_prio_delay: 5s, garp_interval: 1ms, gna_interval: 2ms }
    higher_prio_advert: true
    preempt: false
    notify_priority_changes: true
sync_groups:
  both:
    members: [inside, outside]
    tracking_weight: true
    track: [{ check: disk, weight: 0 }]
    notify: { any: DIR/tell }
checks:
  disk: { command: [DIR/tell, "a b"], interval: 500ms, timeout: 3s, rise: 2, fall: 4, init_fail: true, user: nobody, group: nginx }
  haproxy: { type: process, process: /usr/sbin/haproxy, parameters: "-f /etc/a", param_match: initial, quorum: 2, quorum_max: 3, terminate_delay: 2s, fork_delay: 1500ms }
  load: { type: file, path: /run/lb-weight, init_file: { value: 5, overwrite: true } }
notify_fifo: { path: /run/tsha.fifo, user: nobody, group: nginx, reader: DIR/tell }
link_delays: { eth0: { down: 500ms, up: 2s }, eth2: { down: 3s } }
script_user: nginx
startup_delay: 2500ms
delay_after_boot: 30s
nice: -5
realtime_priority: 10
lock_memory: true
log_unknown_vrids: true
router_id: LB1
`

const KEEPALIVED = `
global_defs {
    router_id LB1
    script_user nginx
    vrrp_startup_delay 2.5
    vrrp_delay_after_boot 30
    vrrp_notify_fifo /run/tsha.fifo nobody nginx
    vrrp_notify_priority_changes false
    vrrp_owner_ignore_adverts
    vrrp_notify_fifo_script "DIR/tell"
    vrrp_priority -5
    vrrp_rt_priority 10
    vrrp_no_swap
    log_unknown_vrids
    vrrp_higher_prio_send_advert true
    vrrp_garp_interval 0.001
    vrrp_gna_interval 0.002
    vrrp_mcast_group6 ff02::13
}
interface_up_down_delays {
    eth0 0.5 2
    eth2 3
}
vrrp_script disk {
    script "DIR/tell 'a b'"
    interval 0.5
    timeout 3
    rise 2
    fall 4
    weight -30
    user nobody nginx
    init_fail
}
vrrp_track_process haproxy {
    process /usr/sbin/haproxy -f /etc/a
    quorum 2
    quorum_max 3
    param_match initial
    terminate_delay 2
    fork_delay 1.5
    weight 20
}
vrrp_track_file load {
    file /run/lb-weight
    init_file 5 overwrite
}
vrrp_sync_group both {
    group {
        inside
        outside
    }
    sync_group_tracking_weight
    notify_priority_changes
    track_script {
        disk weight 0
    }
    notify DIR/tell
}
vrrp_instance inside {
    state BACKUP
    interface eth0
    virtual_router_id 51
    version 3
    priority 150
    advert_int 0.25
    down_timer_adverts 6
    auth_hmac {
        key 1 hex:${KEY}
        key 2 file:DIR/vrrp.key
        active_key 2
        time_window 7
        anti_replay time
        mode permissive
    }
    v3_checksum_as_v2
    virtual_ipaddress {
        192.0.2.1/24
        192.0.2.2/24 brd + dev eth1 scope link label eth1:1 peer 192.0.2.66/30 preferred_lft 0 noprefixroute no_track
    }
    virtual_ipaddress_excluded {
        2001:db8::1/64
    }
    unicast_src_ip 192.0.2.10
    unicast_peer {
        192.0.2.11
        192.0.2.12 min_ttl 254
    }
    unicast_ttl 64
    preempt_delay 90
    lower_prio_no_advert
    dont_track_primary
    promote_secondaries
    track_src_ip
    garp_master_repeat 3
    garp_master_delay 2
    garp_master_refresh 60
    garp_master_refresh_repeat 2
    garp_lower_prio_repeat 1
    garp_lower_prio_delay 4
    track_interface {
        eth2 weight -10 reverse
    }
    track_script {
        disk
    }
    track_process {
        haproxy
    }
    track_file {
        load
    }
    notify "DIR/tell --all" nobody nginx
    notify_master DIR/tell
    notify_backup DIR/tell
    notify_fault DIR/tell
    notify_stop DIR/tell
    notify_deleted DIR/tell
    notify_master_rx_lower_pri DIR/tell
    accept
}
vrrp_instance outside {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority 150
    native_ipv6
    nopreempt
    virtual_ipaddress {
        fe80::1/64
    }
}
`

/** Loads one of the two files from a directory that has the script and the key. */
async function loadOne(t: TestDirectory, name: string, text: string): Promise<LoadedConfig> {
  const directory = t.testdir({
    [name]: '',
    tell: '#!/bin/sh\n',
    'vrrp.key': 'a key of 32 characters in a file\n'
  })
  chmodSync(join(directory, 'tell'), 0o755)
  writeFileSync(join(directory, name), text.replaceAll('DIR', directory))
  const file = join(directory, name)
  const loaded = await loadConfig(
    name === 'tsha.yaml'
      ? { role: 'backup', config: file }
      : { role: 'backup', keepalivedConf: file },
    ROOT_MACHINE
  )
  const json = JSON.stringify(loaded, (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
  )
  return JSON.parse(json.replaceAll(directory, '/scripts')) as LoadedConfig
}

const TELL = { command: ['/scripts/tell'], user: 'nginx', group: null }
const NO_NOTIFY = {
  master: null,
  backup: null,
  fault: null,
  stop: null,
  deleted: null,
  any: null,
  masterRxLowerPriority: null
}
const PLAIN = {
  interface: null,
  broadcast: null,
  label: null,
  scope: null,
  noPrefixRoute: false,
  peer: null,
  isDeprecated: false,
  noTrack: false
}

const EXPECTED = {
  role: 'backup',
  routerId: 'LB1',
  virtualRouters: [
    {
      name: 'inside',
      interface: 'eth0',
      vrid: 51,
      family: 'ipv4',
      priority: 150,
      initialState: 'backup',
      version: 3,
      advertIntervalMs: 250,
      downTimerAdverts: 6,
      authentication: {
        type: 'hmac',
        keys: [
          { id: 2, secret: Buffer.from('a key of 32 characters in a file').toString('hex') },
          { id: 1, secret: KEY }
        ],
        mode: 'permissive',
        antiReplay: 'time',
        windowMs: 7000
      },
      checksumPseudoHeader: false,
      addresses: [
        { address: '192.0.2.1', prefixLength: 24, ...PLAIN },
        {
          address: '192.0.2.2',
          prefixLength: 30,
          interface: 'eth1',
          broadcast: '+',
          label: 'eth1:1',
          scope: 'link',
          noPrefixRoute: true,
          peer: '192.0.2.66',
          isDeprecated: true,
          noTrack: true
        }
      ],
      excludedAddresses: [{ address: '2001:db8::1', prefixLength: 64, ...PLAIN }],
      sourceAddress: '192.0.2.10',
      multicastGroup: '224.0.0.18',
      unicast: {
        peers: [
          { address: '192.0.2.11', ttl: null },
          { address: '192.0.2.12', ttl: { min: 254, max: 255 } }
        ],
        ttl: 64,
        checkSource: true
      },
      preempt: true,
      preemptDelayMs: 90_000,
      answersLowerPriority: false,
      yieldsWithAdvert: true,
      ignoresAdverts: false,
      tracksInterface: false,
      promotesSecondaries: true,
      announcements: {
        repeat: 3,
        delayMs: 2000,
        refreshMs: 60_000,
        refreshRepeat: 2,
        lowerPriorityRepeat: 1,
        lowerPriorityDelayMs: 4000,
        garpIntervalMs: 1,
        gnaIntervalMs: 2,
        gateway: null
      },
      track: [
        { kind: 'interface', check: 'eth2', weight: -10, reverse: true },
        { kind: 'script', check: 'disk', weight: -30, reverse: false },
        { kind: 'process', check: 'haproxy', weight: 20, reverse: false },
        { kind: 'file', check: 'load', weight: 1, reverse: false }
      ],
      notify: {
        master: TELL,
        backup: TELL,
        fault: TELL,
        stop: TELL,
        deleted: TELL,
        any: { command: ['/scripts/tell', '--all'], user: 'nobody', group: 'nginx' },
        masterRxLowerPriority: TELL
      },
      tellsPriority: true,
      handOver: 'make-before-break',
      addressLeaseMs: 1000
    },
    {
      name: 'outside',
      interface: 'eth0',
      vrid: 51,
      family: 'ipv6',
      priority: 150,
      initialState: 'backup',
      version: 3,
      advertIntervalMs: 1000,
      downTimerAdverts: 3,
      authentication: null,
      checksumPseudoHeader: true,
      addresses: [{ address: 'fe80::1', prefixLength: 64, ...PLAIN }],
      excludedAddresses: [],
      sourceAddress: null,
      multicastGroup: 'ff02::13',
      unicast: null,
      preempt: false,
      preemptDelayMs: 0,
      answersLowerPriority: true,
      yieldsWithAdvert: true,
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
        garpIntervalMs: 1,
        gnaIntervalMs: 2,
        gateway: null
      },
      track: [],
      notify: NO_NOTIFY,
      tellsPriority: true,
      handOver: 'make-before-break',
      addressLeaseMs: 2000
    }
  ],
  syncGroups: [
    {
      name: 'both',
      members: ['inside', 'outside'],
      tracksWeights: true,
      track: [{ kind: 'script', check: 'disk', weight: 0, reverse: false }],
      notify: { ...NO_NOTIFY, any: TELL }
    }
  ],
  scripts: [
    {
      name: 'disk',
      command: ['/scripts/tell', 'a b'],
      user: 'nobody',
      group: 'nginx',
      initFail: true,
      intervalMs: 500,
      timeoutMs: 3000,
      rise: 2,
      fall: 4
    }
  ],
  processes: [
    {
      name: 'haproxy',
      process: '/usr/sbin/haproxy',
      parameters: '-f /etc/a',
      parameterMatch: 'initial',
      fullCommand: true,
      quorum: 2,
      quorumMax: 3,
      terminateDelayMs: 2000,
      forkDelayMs: 1500,
      intervalMs: 1000
    }
  ],
  files: [{ name: 'load', path: '/run/lb-weight', initial: { value: 5, overwrites: true } }],
  serviceCheck: null,
  election: {
    startupDelayMs: 2500,
    delayAfterBootMs: 30_000,
    notifyFifo: { path: '/run/tsha.fifo', user: 'nobody', group: 'nginx', reader: TELL },
    linkDelays: [
      { interface: 'eth0', downMs: 500, upMs: 2000 },
      { interface: 'eth2', downMs: 3000, upMs: 0 }
    ],
    nice: -5,
    realtimePriority: 10,
    lockMemory: true,
    logUnknownVrids: true
  },
  proxy: null,
  pidFile: null,
  admin: {
    socket: '/run/tsha/admin.sock',
    socketGroup: null,
    listen: null,
    recordings: '/var/lib/tsha'
  }
}

t.test('tsha.yaml makes everything of an election', async (t) => {
  const { config, notes } = await loadOne(t, 'tsha.yaml', YAML)
  t.strictSame(config, EXPECTED)
  t.strictSame(notes, [])
})

t.test('keepalived.conf makes the same', async (t) => {
  const { config, notes, ignored } = await loadOne(t, 'keepalived.conf', KEEPALIVED)
  t.strictSame(config, EXPECTED)
  t.strictSame(notes, [])
  t.strictSame(ignored, ['track_src_ip', 'accept'])
})

t.test('check says all of it, and no secret', async (t) => {
  const loaded = await loadOne(t, 'tsha.yaml', YAML)
  const text = describeConfig(loaded)
  t.strictSame(text.split('\n'), [
    'director LB1, role backup',
    'virtual router inside: interface eth0, VRID 51, VRRPv3, priority 150, advertisement every 250ms, authentication HMAC (key 2 signs, 1 accepted too; permissive, time within 7s)',
    '  addresses 192.0.2.1/24, 192.0.2.2/30 dev eth1 peer 192.0.2.66 brd + label eth1:1 scope link noprefixroute deprecated no_track; hand over make-before-break; address lease 1s',
    '  not in advertisements: 2001:db8::1/64',
    '  advertisements: unicast to 192.0.2.11, 192.0.2.12 (TTL 254 to 255) with TTL 64, others are dropped; source 192.0.2.10; checksum without pseudo-header',
    '  preempts a weaker master after 90s; master is down after 6 advertisements; does not answer a lower priority; advertises once more before it yields; interface eth0 down is no fault; promote_secondaries on eth0; the notify FIFO is told of changes of priority',
    '  announcements: 3 at once, again after 2s; 2 every 1m; 1 after a lower priority, delay 4s; 1ms between two ARP; 2ms between two NA',
    '  interface eth2: weight -10 reverse',
    '  check disk (/scripts/tell a b as nobody:nginx): weight -30, every 500ms, timeout 3s, fall 4, rise 2, failed at first',
    '  check haproxy (process /usr/sbin/haproxy -f /etc/a…): weight 20, 2 to 3 processes',
    '  check load (file /run/lb-weight, at first 5): weight 1',
    '  notify on master: /scripts/tell as nginx',
    '  notify on backup: /scripts/tell as nginx',
    '  notify on fault: /scripts/tell as nginx',
    '  notify on stop: /scripts/tell as nginx',
    '  notify on deleted: /scripts/tell as nginx',
    '  notify on every change: /scripts/tell --all as nobody:nginx',
    '  notify on a lower priority heard as master: /scripts/tell as nginx',
    'virtual router outside: interface eth0, VRID 51, VRRPv3, priority 150, advertisement every 1s, no authentication',
    '  addresses fe80::1/64; hand over make-before-break; address lease 2s',
    '  advertisements: multicast group ff02::13',
    '  never preempts; advertises once more before it yields; the notify FIFO is told of changes of priority',
    '  announcements: 1ms between two ARP; 2ms between two NA',
    'sync group both: inside, outside; weights of checks count',
    '  check disk (/scripts/tell a b as nobody:nginx): weight 0 (fault), every 500ms, timeout 3s, fall 4, rise 2, failed at first',
    '  notify on every change: /scripts/tell as nginx',
    "elections: nice -5, SCHED_RR 10, memory locked, elections begin 2500ms after the start, elections begin 30s after the machine's start, unknown VRIDs are logged",
    '  interface eth0: down counts after 500ms, up after 2s',
    '  interface eth2: down counts after 3s, up after 0s',
    '  notify FIFO /run/tsha.fifo of nobody:nginx, read by /scripts/tell as nginx'
  ])
  t.notMatch(text, KEY)
  t.notMatch(text, 'a key of 32')
})

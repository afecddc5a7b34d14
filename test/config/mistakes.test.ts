import t from 'tap'
import { load, problemsOf } from './support.js'

const SHORT_KEY = '00112233'
const KEY = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'

/** A `tsha.yaml` with one virtual router; `lines` come after its first four keys, from line 8 on. */
function yaml(lines: string, more = '', address = '192.0.2.1/24'): string {
  return `virtual_routers:
  web:
    interface: eth0
    vrid: 51
    priority: { master: 100, backup: 90 }
    addresses:
      - ${address}
${lines === '' ? '' : `    ${lines}\n`}${more}`
}

const SECOND = (vrid: number, address: string): string =>
  `  two: { interface: eth0, vrid: ${vrid}, priority: 90, addresses: ["${address}"] }\n`

const PROBLEMS: readonly [what: string, text: string, problems: readonly string[]][] = [
  [
    'an interval of VRRPv2 with a fraction',
    yaml('advert_interval: 500ms'),
    [
      '8:22: advert_interval "500ms" is not whole seconds, which VRRPv2 counts; use 1s to 255s, or version 3 [TSHA_E_VALUE]'
    ]
  ],
  [
    'an interval that VRRPv3 cannot carry',
    yaml('version: 3\n    advert_interval: 41s'),
    ['9:22: advert_interval "41s" is out of range for VRRPv3; use 10ms to 40.95s [TSHA_E_VALUE]']
  ],
  [
    'an interval of VRRPv3 between two centiseconds',
    yaml('version: 3\n    advert_interval: 15ms'),
    [
      '9:22: advert_interval "15ms" is not whole centiseconds, which VRRPv3 counts; use 10ms to 40.95s in steps of 10ms [TSHA_E_VALUE]'
    ]
  ],
  [
    'an interval of nothing',
    yaml('advert_interval: 0s'),
    ['8:22: advert_interval "0s" is out of range; use 1s to 255s [TSHA_E_VALUE]']
  ],
  [
    'an unknown version',
    yaml('version: 4'),
    ['8:14: version 4 is not a version of VRRP; use 2 or 3 [TSHA_E_VALUE]']
  ],
  [
    'IPv6 with version 2',
    yaml('version: 2', '', '"fe80::1/64"'),
    ['8:14: version 2 has no IPv6; use version 3 [TSHA_E_VALUE]']
  ],
  [
    'addresses of both families',
    yaml('', '      - "2001:db8::1/64"\n'),
    [
      '8:9: IPv6 address 2001:db8::1 is among IPv4 ones; a virtual router has addresses of one family, so give it one of its own, or exclude it from the advertisements [TSHA_E_VALUE]'
    ]
  ],
  [
    'a source of the other family',
    yaml('source_address: "2001:db8::9"'),
    [
      '8:21: source_address 2001:db8::9 is IPv6 and the virtual addresses are IPv4; use one family [TSHA_E_VALUE]'
    ]
  ],
  [
    'a peer of the other family',
    yaml('unicast: { peers: ["2001:db8::9"] }'),
    [
      '8:24: peers 2001:db8::9 is IPv6 and the virtual addresses are IPv4; use one family [TSHA_E_VALUE]'
    ]
  ],
  [
    'unicast without neighbours',
    yaml('unicast: { peers: [] }'),
    ['8:23: peers list is empty; use the address of each partner [TSHA_E_VALUE]']
  ],
  [
    'a peer that is there twice, and one that is ourselves',
    yaml('source_address: 192.0.2.8\n    unicast: { peers: [192.0.2.9, 192.0.2.9, 192.0.2.8] }'),
    [
      '9:35: peer 192.0.2.9 is already given on line 9; use it once [TSHA_E_DUPLICATE]',
      "9:46: peer 192.0.2.8 is the source address of this director; use the partner's [TSHA_E_VALUE]"
    ]
  ],
  [
    'TTLs that nothing can have',
    yaml('unicast: { peers: [{ address: 192.0.2.9, min_ttl: 9, max_ttl: 5 }] }'),
    [
      '8:24: min_ttl 9 of peer 192.0.2.9 is above its max_ttl, so nothing would be accepted; use a smaller one [TSHA_E_VALUE]'
    ]
  ],
  [
    'a multicast group that is none',
    yaml('multicast_group: 192.0.2.18'),
    [
      '8:22: multicast_group 192.0.2.18 is not a multicast address; use one such as 224.0.0.18 [TSHA_E_VALUE]'
    ]
  ],
  [
    'an IPv6 group that routers forward',
    yaml('multicast_group: "ff05::12"', '', '"fe80::1/64"'),
    [
      '8:22: multicast_group ff05::12 is not link-local multicast; use one such as ff02::12 [TSHA_E_VALUE]'
    ]
  ],
  [
    'a multicast group beside unicast peers',
    yaml('multicast_group: 224.0.0.19\n    unicast: { peers: [192.0.2.9] }'),
    [
      '8:22: multicast_group 224.0.0.19 has no effect beside unicast peers; remove one of them [TSHA_E_VALUE]'
    ]
  ],
  [
    'a preempt delay of a director that never preempts',
    yaml('preempt: false\n    preempt_delay: 5s'),
    [
      '9:20: virtual router web: preempt_delay has no effect with nopreempt; remove one of them [TSHA_E_VALUE]'
    ]
  ],
  [
    'a rule of owners where nobody is one',
    yaml('owner_ignore_adverts: true'),
    [
      '8:27: virtual router web: owner_ignore_adverts has no effect without priority 255; remove it [TSHA_E_VALUE]'
    ]
  ],
  [
    'a delay of a link that is longer than the partner is waited for',
    yaml('', 'link_delays: { eth0: { down: 2s } }\n'),
    [
      '8:30: down 2s of eth0: virtual router web would take its master for dead before it knows that its own link is down; use 1996ms or less [TSHA_E_VALUE]'
    ]
  ],
  [
    'a preempt delay beyond keepalived\u2019s',
    yaml('preempt_delay: 1001s'),
    ['8:20: preempt_delay "1001s" is out of range; use 0s to 1000s [TSHA_E_VALUE]']
  ],
  [
    'an owner that never preempts',
    yaml('preempt: false').replace('master: 100', 'master: 255'),
    [
      '8:14: virtual router web: nopreempt does not go with priority 255, whose director owns the addresses; remove one of them [TSHA_E_VALUE]'
    ]
  ],
  [
    'a priority beyond 255',
    yaml('').replace('master: 100', 'master: 256'),
    ['5:25: master 256 is out of range; use 1 to 255 [TSHA_E_VALUE]']
  ],
  [
    'a password with version 3',
    yaml('version: 3\n    authentication: { type: pass, password: "secret" }'),
    [
      '9:21: virtual router web: VRRPv3 has no password (RFC 9568), so it is left out, as keepalived does; remove it, or use version 2 or HMAC [TSHA_E_VALUE]'
    ]
  ],
  [
    'a HMAC key that is too short, and one id for two keys',
    yaml(
      `authentication: { type: hmac, keys: [{ id: 1, key: "hex:${SHORT_KEY}" }, { id: 1, key: "hex:${KEY}" }] }`
    ),
    [
      '8:56: HMAC key 1 has 4 bytes, which is too short; use 32 to 64 bytes [TSHA_E_VALUE]',
      '8:80: key id 1 is given twice; give each key its own id [TSHA_E_DUPLICATE]'
    ]
  ],
  [
    'a HMAC key that is no hex, and one that is no file',
    yaml(
      'authentication: { type: hmac, keys: [{ id: 1, key: "hex:xy" }, { id: 2, key: "file:/nonexistent" }] }'
    ),
    [
      '8:56: HMAC key 1 has something else than pairs of hex digits; use 32 to 64 bytes [TSHA_E_VALUE]',
      '8:82: key file /nonexistent cannot be read, or is no key; use one line [TSHA_E_FILE]'
    ]
  ],
  [
    'authentication of another type',
    yaml('authentication: { type: ah, password: x }'),
    ['8:29: type "ah" is not supported; use pass or hmac [TSHA_E_VALUE]']
  ],
  [
    'announcements out of range',
    yaml('announcements: { repeat: 0, refresh_repeat: 2000, garp_interval: 1001s, delay: 5 }'),
    [
      '8:30: repeat 0 is out of range; use 1 to 1000 [TSHA_E_VALUE]',
      '8:49: refresh_repeat 2000 is out of range; use 1 to 1000 [TSHA_E_VALUE]',
      '8:70: garp_interval "1001s" is out of range; use 0s to 1000s [TSHA_E_VALUE]',
      '8:84: delay 5 has no unit; use one such as "250ms", "1s" or "5m" [TSHA_E_VALUE]'
    ]
  ],
  [
    'down_timer_adverts out of range',
    yaml('down_timer_adverts: 101'),
    ['8:25: down_timer_adverts 101 is out of range; use 1 to 100 [TSHA_E_VALUE]']
  ],
  [
    'the source of advertisements among the virtual addresses',
    yaml('source_address: 192.0.2.1'),
    [
      '8:21: source_address 192.0.2.1 is a virtual address too; use one that this director always has, or priority 255 if it owns the address [TSHA_E_VALUE]'
    ]
  ],
  [
    'one VRID for two elections of a family on an interface',
    yaml('', SECOND(51, '192.0.2.2/24')),
    [
      '8:33: VRID 51 on interface eth0 is already used by web (line 4); use another one for two [TSHA_E_VRID_DUPLICATE]'
    ]
  ],
  [
    'one address in two elections, however it is written',
    yaml('', SECOND(52, '2001:DB8:0::1/64'), '"2001:db8::1/64"'),
    ['8:63: address 2001:db8::1 is already given on line 7; use it once [TSHA_E_DUPLICATE]']
  ],
  [
    'options that IPv6 does not have',
    yaml('', '', '{ address: "fe80::1/64", label: "eth0:1", broadcast: "+" }'),
    [
      '7:41: label is for IPv4 alone; remove it from fe80::1 [TSHA_E_VALUE]',
      '7:62: broadcast is for IPv4 alone; remove it from fe80::1 [TSHA_E_VALUE]'
    ]
  ],
  [
    'a weight that can never move the addresses',
    yaml('track: [{ interface: eth1, weight: -10 }]'),
    [
      "8:40: weight can never move the addresses of web: with every check failed priority 100 becomes 90, which is not below the partner's 90; use weights that lose more than 10 [TSHA_E_VALUE]"
    ]
  ],
  [
    'a reversed weight that can never move the addresses',
    yaml('track: [{ interface: eth1, weight: 10, reverse: true }]'),
    [
      "8:40: weight can never move the addresses of web: with every check failed priority 100 becomes 110, which is not below the partner's 90; use weights that lose more than 10 [TSHA_E_VALUE]"
    ]
  ],
  [
    'a weight that only a file may have',
    yaml('track: [{ interface: eth1, weight: 254 }]'),
    ['8:40: weight 254 is out of range; use -253 to 253 [TSHA_E_VALUE]']
  ],
  [
    'a weight that not even a file may have',
    yaml(
      'track: [{ check: load, weight: -255 }]',
      'checks: { load: { type: file, path: /run/load } }\n'
    ),
    ['8:36: weight -255 is out of range; use -253 to 253, or -254 to 254 for a file [TSHA_E_VALUE]']
  ],
  [
    'a track entry that follows nothing, two things, or one twice',
    yaml(
      'track: [{ weight: 0 }, { check: service, interface: eth1, weight: 0 }, { interface: eth2, weight: 0, fall: 3 }, { interface: eth2, weight: 0 }]'
    ),
    [
      '8:13: track has neither check nor interface; use one of them [TSHA_E_VALUE]',
      '8:28: track has both check and interface; use one of them [TSHA_E_VALUE]',
      '8:106: fall is for checks; remove it here [TSHA_E_VALUE]',
      '8:130: interface eth2 is tracked twice; track it once [TSHA_E_DUPLICATE]'
    ]
  ],
  [
    'a check of an unknown kind, and settings of another kind',
    yaml(
      '',
      'checks: { a: { type: bfd }, b: { type: file, path: /x, command: /bin/true }, c: { type: process, process: x, quorum: 3, quorum_max: 2 } }\n'
    ),
    [
      '8:22: type "bfd" is not a kind of check; use script, process or file [TSHA_E_VALUE]',
      '8:56: unknown key "command"; use one of type, path, init_file [TSHA_E_UNKNOWN_KEY]',
      '8:133: quorum_max 2 is below the quorum of 3, so the check could never pass; use 3 or more [TSHA_E_VALUE]'
    ]
  ],
  [
    'a sync group whose members hand over in different ways',
    yaml(
      '',
      `${SECOND(52, '192.0.2.2/24').replace(' }', ', hand_over: keepalived }')}sync_groups: { a: { members: [web, two] } }\n`
    ),
    [
      '9:30: sync group a: hand_over is make_before_break for web and keepalived for two; its members change together, so use the same for all [TSHA_E_VALUE]'
    ]
  ],
  [
    'a sync group with a member that is unknown, there twice, or in two groups',
    yaml(
      '',
      `${SECOND(52, '192.0.2.2/24')}sync_groups: { a: { members: [web, two, web, tow] }, b: { members: [two, web] } }\n`
    ),
    [
      '9:41: virtual router web is twice in sync group a; use it once [TSHA_E_DUPLICATE]',
      '9:46: virtual router "tow" of sync group a does not exist; did you mean "two"? [TSHA_E_REFERENCE]',
      '9:69: virtual router two is already in sync group a (line 9); a virtual router can be in one [TSHA_E_DUPLICATE]',
      '9:74: virtual router web is already in sync group a (line 9); a virtual router can be in one [TSHA_E_DUPLICATE]'
    ]
  ],
  [
    'notify programs that cannot be run',
    yaml(
      'notify: { any: tell, master: /nonexistent/x, backup: { command: /etc/passwd, user: x } }'
    ),
    [
      '8:20: script tell is not an absolute path; use one [TSHA_E_FILE]',
      '8:34: script /nonexistent/x does not exist; use the path of a program [TSHA_E_FILE]',
      '8:69: user "x" of a script does not exist on this machine; use one from /etc/passwd [TSHA_E_USER]',
      '8:69: script /etc/passwd is not executable; use chmod +x [TSHA_E_FILE]'
    ]
  ],
  [
    'priorities of the process that Linux does not have',
    yaml('', 'realtime_priority: 100\nnice: -21\n'),
    [
      '8:20: realtime_priority 100 is out of range; use 1 to 99 [TSHA_E_VALUE]',
      '9:7: nice -21 is out of range; use -20 to 19 [TSHA_E_VALUE]'
    ]
  ],
  [
    'a lease of half a second',
    yaml('address_lease: 500ms'),
    [
      '8:20: address_lease "500ms" is not a lease; use whole seconds such as "3s", at least "1s", or off [TSHA_E_VALUE]'
    ]
  ]
]

for (const [what, text, problems] of PROBLEMS) {
  t.test(`refused with the reason: ${what}`, async (t) => {
    t.strictSame(
      await problemsOf(t, { 'tsha.yaml': text }, { role: 'master' }),
      problems.map((problem) => `tsha.yaml:${problem}`)
    )
  })
}

const NOTES: readonly [what: string, text: string, notes: readonly string[]][] = [
  [
    'a prefix length that is missing',
    yaml('', '', '192.0.2.1'),
    [
      'virtual router web: 192.0.2.1 is written without a prefix length, so it is added as /32, as keepalived does'
    ]
  ],
  [
    'a first IPv6 address that is not link-local',
    yaml('', '', '"2001:db8::1/64"'),
    [
      'virtual router web: the first IPv6 address should be link-local (fe80::/10, RFC 9568 section 5.2.9); it is 2001:db8::1'
    ]
  ],
  [
    'one advertisement that decides',
    yaml('down_timer_adverts: 1'),
    [
      'virtual router web: the shortest address lease there is, 1s, ends after the partner has taken over (1648ms): when this director dies or hangs, both have the addresses until then',
      'virtual router web: with down_timer_adverts 1 a single advertisement that is lost moves the addresses'
    ]
  ],
  [
    'an owner whose checks have weights',
    yaml('track: [{ interface: eth1, weight: -10 }]').replace('master: 100', 'master: 255'),
    [
      'virtual router web: priority 255, of the address owner, is never changed by a weight; only weight 0 takes its director out of the election'
    ]
  ],
  [
    'weight 0 and reverse',
    yaml('track: [{ interface: eth1, weight: 0, reverse: true }]'),
    [
      'virtual router web: weight 0 with reverse is a fault, and no part in the election, while interface eth1 passes'
    ]
  ],
  [
    'a sync group of one, whose weights do not count',
    yaml('track: [{ interface: eth1, weight: -20 }]', 'sync_groups: { a: { members: [web] } }\n'),
    [
      'sync group a has one member, so it does nothing; name two or more',
      'sync group a: the weights of checks of its members (web) do not count, as in keepalived; a failure of such a check changes nothing; use weight 0, or let the group track the check'
    ]
  ],
  [
    'a long start delay',
    yaml('', 'startup_delay: 2m\n'),
    ['startup_delay 2m: for so long this director is never master, also when it is alone']
  ],
  [
    'a lease that outlasts the partner\u2019s patience',
    yaml('address_lease: 4s'),
    [
      'virtual router web: address_lease, 4s, ends after the partner has taken over (3648ms): when this director dies or hangs, both have the addresses until then'
    ]
  ],
  [
    'an interval for which no lease is short enough',
    yaml('version: 3\n    advert_interval: 100ms'),
    [
      'virtual router web: the shortest address lease there is, 1s, ends after the partner has taken over (364ms): when this director dies or hangs, both have the addresses until then'
    ]
  ]
]

for (const [what, text, notes] of NOTES) {
  t.test(`told with the reason: ${what}`, async (t) => {
    const loaded = await load(t, { 'tsha.yaml': text }, { role: 'master' })
    t.strictSame(loaded.notes, notes)
  })
}

t.test('one VRID is good for IPv4 and IPv6 on one interface', async (t) => {
  const text = yaml('', SECOND(51, 'fe80::1/64'))
  const { config } = await load(t, { 'tsha.yaml': text }, { role: 'master' })
  t.strictSame(
    config.virtualRouters.map(({ family, version }) => [family, version]),
    [
      ['ipv4', 2],
      ['ipv6', 3]
    ]
  )
})

t.test('no message has a password or a key in it', async (t) => {
  const secret = 'correcthorse'
  for (const authentication of [
    `{ type: pass, password: [${secret}] }`,
    `{ type: hmac, keys: [{ id: 1, key: "${secret}" }] }`,
    `{ type: hmac, keys: [{ id: 1, key: ["${secret}"] }] }`,
    `{ type: hmac, keys: "${secret}" }`
  ]) {
    const text = yaml(`authentication: ${authentication}`)
    const problems = await problemsOf(t, { 'tsha.yaml': text }, { role: 'master' })
    t.ok(problems.length > 0, authentication)
    t.notMatch(problems.join('\n'), secret)
  }
})

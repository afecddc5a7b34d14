import t from 'tap'
import { readKeepalivedConf } from '../../src/config/keepalived/keepalived-conf.js'
import { load, problemsOf } from './support.js'

/** A `keepalived.conf` with a line more or other values in its `vrrp_instance`. */
function conf(
  changes: { replace?: [string, string]; line?: string; before?: string } = {}
): string {
  const text = `${changes.before ?? ''}vrrp_instance web {
    state MASTER
    interface eth0
    virtual_router_id 51
    priority 100
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass 123456
    }
    virtual_ipaddress {
        192.0.2.1/24
    }
${changes.line ?? ''}
}
`
  return changes.replace ? text.replace(...changes.replace) : text
}

t.test('what is not supported is refused by name, at its place, with the reason', async (t) => {
  const rows: [line: string, problem: string][] = [
    [
      'use_vmac',
      '14:1: directive "use_vmac" is not supported: tsha uses the MAC address of the interface and tells it by gratuitous ARP; remove it on both directors'
    ],
    [
      '  virtual_routes {\n 192.0.2.9\n }',
      '14:3: directive "virtual_routes" is not supported: tsha moves addresses alone; set routes and rules in the system or in a notify script'
    ],
    [
      'smtp_alert',
      '14:1: directive "smtp_alert" is not supported: tsha sends no mail; use notify and a script that does'
    ],
    ['nopremt', '14:1: directive "nopremt" is not supported; did you mean "nopreempt"?'],
    ['~SEQ(X,1,3) accept', '14:1: sequence "~SEQ(X,1,3)" is not supported; write its lines out'],
    [
      '$X= \\\n  accept \\\n  nopreempt',
      '14:1: definition "$X" of several lines is not supported; write its lines where it is used'
    ]
  ]
  for (const [line, problem] of rows) {
    t.strictSame(await problemsOf(t, { 'keepalived.conf': conf({ line }) }), [
      `keepalived.conf:${problem} [TSHA_E_NOT_SUPPORTED]`
    ])
  }
  const before =
    'virtual_server 192.0.2.1 80 {\n  lb_algo rr\n}\nglobal_defs {\n  enable_snmp_vrrp\n  vrrp_strict\n}\n'
  t.strictSame(await problemsOf(t, { 'keepalived.conf': conf({ before }) }), [
    'keepalived.conf:1:1: directive "virtual_server" is not supported: tsha is a proxy and has no IPVS; use nginx.conf or tsha.yaml for the servers [TSHA_E_NOT_SUPPORTED]',
    'keepalived.conf:5:3: directive "enable_snmp_vrrp" is not supported: tsha has no SNMP; remove it [TSHA_E_NOT_SUPPORTED]',
    'keepalived.conf:6:3: directive "vrrp_strict" is not supported: it drops packets to the virtual address, which no proxy can do without; remove it [TSHA_E_NOT_SUPPORTED]'
  ])
})

t.test('what keepalived clears with a message is cleared with a note', async (t) => {
  const rows: [
    changes: { replace?: [string, string]; line?: string; before?: string },
    note: string
  ][] = [
    [
      { line: 'owner_ignore_adverts' },
      'vrrp_instance web: owner_ignore_adverts has no effect without priority 255, as in keepalived'
    ],
    [
      { before: 'interface_up_down_delays {\n eth0 2\n}\n' },
      'interface_up_down_delays 2s of eth0: virtual router web would take its master for dead before it knows that its own link is down; it is 1996ms, as in keepalived'
    ],
    [
      { line: 'nopreempt' },
      'vrrp_instance web: nopreempt has no effect with state MASTER; use state BACKUP on both directors, as in keepalived'
    ],
    [
      { line: 'nopreempt', replace: ['priority 100', 'priority 255'] },
      'vrrp_instance web: nopreempt has no effect with priority 255, as in keepalived'
    ],
    [
      { line: 'preempt_delay 5' },
      'vrrp_instance web: preempt_delay has no effect with state MASTER; use state BACKUP on both directors, as in keepalived'
    ],
    [
      { line: 'nopreempt\npreempt_delay 5', replace: ['MASTER', 'BACKUP'] },
      'vrrp_instance web: preempt_delay has no effect with nopreempt, as in keepalived'
    ],
    [
      { line: 'unicast_src_ip 192.0.2.9' },
      'vrrp_instance web: unicast_src_ip without unicast_peer has no effect: advertisements go to the multicast group, as in keepalived; name the partner in unicast_peer'
    ],
    [
      { replace: ['    priority 100\n', '\n'] },
      'vrrp_instance web: state MASTER without a priority is priority 255, the address owner, as in keepalived'
    ],
    [
      { line: 'version 3' },
      'virtual router web: VRRPv3 has no password (RFC 9568), so it is left out, as keepalived does; remove it, or use version 2 or HMAC'
    ],
    [
      { line: 'track_interface {\n eth1 weight 254\n}' },
      'weight 254 of eth1 is 253, as in keepalived'
    ]
  ]
  for (const [changes, note] of rows) {
    const { config, notes } = await load(t, { 'keepalived.conf': conf(changes) })
    t.strictSame(notes, [note])
    const isNopreempt = changes.line?.includes('nopreempt') === true
    const isCleared = config.virtualRouters[0]?.initialState === 'master'
    t.equal(config.virtualRouters[0]?.preempt, !isNopreempt || isCleared, note)
    t.equal(config.virtualRouters[0]?.preemptDelayMs, 0)
  }
})

t.test(
  'a delay of a link is bounded by the elections on it, its coming up only with it',
  async (t) => {
    const delaysOf = async (delays: string, line = ''): Promise<unknown> => {
      const before = `interface_up_down_delays {\n ${delays}\n}\n`
      const { config } = await load(t, { 'keepalived.conf': conf({ before, line }) })
      return config.election.linkDelays.map(({ downMs, upMs }) => [downMs, upMs])
    }
    t.strictSame(await delaysOf('eth0 1.9'), [[1900, 0]])
    t.strictSame(await delaysOf('eth0 3 3'), [[1996, 1996]])
    t.strictSame(await delaysOf('eth0 3 200'), [[1996, 200_000]])
    t.strictSame(await delaysOf('eth0 3 200', 'down_timer_adverts 5'), [[3000, 200_000]])
    t.strictSame(await delaysOf('eth0 0.5 200', 'down_timer_adverts 1'), [[0, 0]])
    t.strictSame(await delaysOf('eth1 3'), [[3000, 0]], 'no election is on it')
  }
)

t.test('what global_defs says of owners concerns owners alone', async (t) => {
  const before = 'global_defs {\n vrrp_owner_ignore_adverts\n}\n'
  const ignores = async (text: string): Promise<unknown> => {
    const { config, notes } = await load(t, { 'keepalived.conf': text })
    t.strictSame(notes, [])
    return config.virtualRouters[0]?.ignoresAdverts
  }
  t.equal(await ignores(conf({ before })), false)
  t.equal(await ignores(conf({ before, replace: ['priority 100', 'priority 255'] })), true)
  t.equal(await ignores(conf({ replace: ['priority 100', 'priority 255'] })), false)
})

t.test('included files, conditional lines and definitions', async (t) => {
  const { config, notes } = await load(t, {
    'keepalived.conf': conf({
      before:
        'include parts/*.conf\n$IF=eth7\n$NET=192.0.${LAST}\n$LAST=2\n@director1 $PRIO=120\n@other $PRIO=80\n',
      replace: ['interface eth0', 'interface $IF'],
      line: '@^director1 nopreempt\nvirtual_ipaddress_excluded {\n ${NET}.7/24\n}\nadvert_$LAST'.replace(
        '\nadvert_$LAST',
        ''
      )
    }).replace('priority 100', 'priority $PRIO'),
    parts: { 'a.conf': 'global_defs {\n router_id ONE\n}\n', 'b.txt': 'nonsense' }
  })
  t.equal(config.routerId, 'ONE')
  t.match(config.virtualRouters[0], {
    interface: 'eth7',
    priority: 120,
    preempt: true,
    excludedAddresses: [{ address: '192.0.2.7' }]
  })
  t.strictSame(notes, [
    'conditional lines: the config id is director1, the name of this machine; left out are the lines of @other, @^director1'
  ])
  t.strictSame(await problemsOf(t, { 'keepalived.conf': conf({ before: 'include x.conf\n' }) }), [
    'keepalived.conf:1:9: included file x.conf does not exist [TSHA_E_FILE]'
  ])
})

t.test('a definition of definitions ends, however often it doubles', async (t) => {
  const names = Array.from({ length: 16 }, (_, index) => String.fromCharCode(65 + index))
  const lines = names.map((name, index) => {
    const next = names[index + 1] ?? 'A'
    return `$${name}=${`\${${next}}`.repeat(16)}`
  })
  const problems = await problemsOf(t, {
    'keepalived.conf': `${lines.join('\n')}\n${conf({ replace: ['eth0', '$A'] })}`
  })
  t.equal(problems.length, 1)
})

t.test('values that cannot work are refused in keepalived\u2019s own words', async (t) => {
  const rows: [replace: [string, string], problem: string][] = [
    [
      ['router_id 51', 'router_id 300'],
      '4:23: virtual_router_id 300 is out of range; use 1 to 255 [TSHA_E_VRID_RANGE]'
    ],
    [
      ['router_id 51', 'router_id x'],
      '4:23: virtual_router_id "x" is not a whole number; use 1 to 255 [TSHA_E_VRID_RANGE]'
    ],
    [
      ['    virtual_router_id 51\n', '\n'],
      '1:1: virtual_router_id is missing in virtual_routers web; use 1 to 255 [TSHA_E_REQUIRED]'
    ],
    [
      ['priority 100', 'priority 256'],
      '5:14: priority 256 is out of range; use 1 to 255 [TSHA_E_VALUE]'
    ],
    [
      ['advert_int 1', 'advert_int 0.5'],
      '6:16: advert_interval "0.5s" is not whole seconds, which VRRPv2 counts; use 1s to 255s, or version 3 [TSHA_E_VALUE]'
    ],
    [
      ['auth_type PASS', 'auth_type AH'],
      '8:19: auth_type AH is not supported: AH is outside of every RFC since 3768, and of tsha; use PASS or auth_hmac on both directors [TSHA_E_NOT_SUPPORTED]'
    ],
    [
      ['        auth_pass 123456\n', '\n'],
      '7:5: auth_pass is missing in authentication [TSHA_E_REQUIRED]'
    ],
    [
      ['192.0.2.1/24', '192.0.2.1/33'],
      '12:9: virtual_ipaddress "192.0.2.1/33" is not an address; use one such as 192.0.2.1/24 or 2001:db8::1/64 [TSHA_E_VALUE]'
    ],
    [
      ['192.0.2.1/24', '192.0.2.1/24 preferred_lft 60'],
      '12:22: "preferred_lft" in virtual_ipaddress is not supported: tsha renews addresses, so they are preferred for ever or not at all; use forever or 0 [TSHA_E_NOT_SUPPORTED]'
    ],
    [
      ['192.0.2.1/24', '192.0.2.1 peer fd00::2'],
      '12:24: peer fd00::2 is IPv6 and the virtual addresses are IPv4; use one family [TSHA_E_VALUE]'
    ],
    [
      ['192.0.2.1/24', '192.0.2.1/24\n 2001:db8::1/64'],
      '13:2: IPv6 address 2001:db8::1 is among IPv4 ones; a virtual router has addresses of one family, so give it one of its own, or exclude it from the advertisements [TSHA_E_VALUE]'
    ],
    [
      ['advert_int 1', 'mcast_dst_ip 192.0.2.9'],
      '6:18: mcast_dst_ip 192.0.2.9 is not a multicast address; use one such as 224.0.0.18 [TSHA_E_VALUE]'
    ],
    [
      ['advert_int 1', 'auth_hmac {\n key 1 short\n active_key 3\n }'],
      '8:13: active_key 3 is no key of auth_hmac; use the id of one [TSHA_E_REFERENCE]'
    ],
    [
      ['state MASTER', 'state FAULT'],
      '2:11: state "FAULT" is not a state; use MASTER or BACKUP [TSHA_E_VALUE]'
    ],
    [
      ['advert_int 1', 'interface eth1'],
      '6:5: interface is given twice; use it once [TSHA_E_DUPLICATE]'
    ]
  ]
  for (const [replace, problem] of rows) {
    t.strictSame(await problemsOf(t, { 'keepalived.conf': conf({ replace }) }), [
      `keepalived.conf:${problem.replace('advert_interval', 'advert_int')}`
    ])
  }
})

t.test('the role follows from state, and --role may not contradict it', async (t) => {
  const master = await load(t, { 'keepalived.conf': conf() })
  t.equal(master.config.role, 'master')
  const noState = conf({ replace: ['    state MASTER\n', '\n'] })
  t.equal((await load(t, { 'keepalived.conf': noState })).config.role, null)
  t.equal((await load(t, { 'keepalived.conf': noState }, { role: 'backup' })).config.role, 'backup')
  t.strictSame(await problemsOf(t, { 'keepalived.conf': conf() }, { role: 'backup' }), [
    'keepalived.conf:2:11: state MASTER contradicts --role backup; use --role master, or leave it out [TSHA_E_ROLE]'
  ])
})

t.test('keepalived defaults: priority 100, advert_int 1 s, prefix /32', async (t) => {
  const { config } = await load(t, {
    'keepalived.conf':
      'vrrp_instance a { interface eth0\n virtual_router_id 7\n virtual_ipaddress { 192.0.2.1 } }'
  })
  t.match(config.virtualRouters[0], {
    name: 'a',
    priority: 100,
    advertIntervalMs: 1000,
    authentication: null,
    addresses: [{ address: '192.0.2.1', prefixLength: 32 }]
  })
})

t.test(
  'keepalived defaults of a script: every 1 s, timeout as interval, rise 1, fall 1',
  async (t) => {
    const script = (lines: string) =>
      `vrrp_script chk {\n script "/bin/sh -c 'exit 0'"\n${lines}\n}\n`
    const track = (entry = 'chk') => `track_script {\n ${entry}\n}`
    const text = conf({ before: script(' weight -20'), line: track() })
    const { config } = await load(t, { 'keepalived.conf': text })
    t.strictSame(config.scripts, [
      {
        name: 'chk',
        command: ['/bin/sh', '-c', 'exit 0'],
        user: null,
        group: null,
        initFail: false,
        intervalMs: 1000,
        timeoutMs: 1000,
        rise: 1,
        fall: 1
      }
    ])
    const timed = conf({
      before: script(' interval 0.5\n timeout 3\n rise 2\n fall 4'),
      line: track('chk weight 5')
    })
    const loaded = await load(t, { 'keepalived.conf': timed })
    t.match(loaded.config.scripts[0], { intervalMs: 500, timeoutMs: 3000, rise: 2, fall: 4 })
    t.strictSame(loaded.config.virtualRouters[0]?.track, [
      { kind: 'script', check: 'chk', weight: 5, reverse: false }
    ])

    const fault = await load(t, {
      'keepalived.conf': conf({ before: script(''), line: track() })
    })
    t.strictSame(fault.config.virtualRouters[0]?.track, [
      { kind: 'script', check: 'chk', weight: 0, reverse: false }
    ])
    t.strictSame(await problemsOf(t, { 'keepalived.conf': conf({ line: track('other') }) }), [
      'keepalived.conf:15:2: track_script other does not exist; define it, or remove it [TSHA_E_REFERENCE]'
    ])
  }
)

t.test('two instances with one VRID on one interface are refused', async (t) => {
  const second = conf({ replace: ['vrrp_instance web', 'vrrp_instance two'] }).replace(
    '2.1/24',
    '2.2/24'
  )
  t.strictSame(await problemsOf(t, { 'keepalived.conf': conf() + second }), [
    'keepalived.conf:19:23: VRID 51 on interface eth0 is already used by web (line 4); use another one for two [TSHA_E_VRID_DUPLICATE]'
  ])
})

t.test(
  'comments begin with # or ! anywhere outside of quotes; Chinese and blanks do no harm',
  async (t) => {
    const text = conf({
      before: '# \u5B9A\u4E49\u68C0\u6D4B\u811A\u672C\n! another\r\n',
      replace: ['auth_pass 123456', 'auth_pass "a#!b" # \u5B9A\u4E49  \t']
    })
    const { config } = await load(t, { 'keepalived.conf': text })
    t.strictSame(config.virtualRouters[0]?.authentication, { type: 'pass', password: 'a#!b' })
  }
)

t.test('braces and quotes that do not match are syntax problems', async (t) => {
  t.strictSame(await problemsOf(t, { 'keepalived.conf': conf().replace(/\}\s*$/, '') }), [
    'keepalived.conf:1:19: block is not closed; use a } for this { [TSHA_E_SYNTAX]'
  ])
  t.match(await problemsOf(t, { 'keepalived.conf': `${conf()}}\n` }), [
    'keepalived.conf:16:1: } closes no block; remove it [TSHA_E_SYNTAX]'
  ])
  const quote = conf({ replace: ['auth_pass 123456', 'auth_pass "secret'] })
  const problems = await problemsOf(t, { 'keepalived.conf': quote })
  t.strictSame(problems, [
    'keepalived.conf:9:19: quote is not closed on its line; use a second " to close it [TSHA_E_SYNTAX]'
  ])
})

t.test('a file without vrrp_instance says so', async (t) => {
  t.strictSame(await problemsOf(t, { 'keepalived.conf': '' }), [
    'keepalived.conf:1:1: vrrp_instance is missing; use at least one [TSHA_E_REQUIRED]'
  ])
})

t.test('deep nesting ends with a problem, not with a crash', async (t) => {
  const source = await readKeepalivedConf('keepalived.conf', 'a {\n'.repeat(100_000), {
    role: null,
    configId: 'director1',
    environment: {}
  })
  t.match(source.problems[0]?.message, /nested deeper than 16/)
})

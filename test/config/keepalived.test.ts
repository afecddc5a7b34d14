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

t.test(
  'every directive outside of the supported ones is refused by name at its place',
  async (t) => {
    const rows: [line: string, problem: string][] = [
      ['nopreempt', '14:1: directive "nopreempt" is not supported'],
      ['  unicast_peer {\n 192.0.2.9\n }', '14:3: directive "unicast_peer" is not supported'],
      ['use_vmac', '14:1: directive "use_vmac" is not supported'],
      ['notify_master "/bin/x"', '14:1: directive "notify_master" is not supported'],
      ['@master nopreempt', '14:1: conditional line "@master" is not supported'],
      ['$X=1', '14:1: definition "$X=1" is not supported']
    ]
    for (const [line, problem] of rows) {
      t.strictSame(await problemsOf(t, { 'keepalived.conf': conf({ line }) }), [
        `keepalived.conf:${problem} [TSHA_E_NOT_SUPPORTED]`
      ])
    }
    const before =
      'include other.conf\nvirtual_server 192.0.2.1 80 {\n  lb_algo rr\n}\nglobal_defs {\n  script_user root\n}\n'
    t.strictSame(await problemsOf(t, { 'keepalived.conf': conf({ before }) }), [
      'keepalived.conf:1:1: directive "include" is not supported [TSHA_E_NOT_SUPPORTED]',
      'keepalived.conf:2:1: directive "virtual_server" is not supported [TSHA_E_NOT_SUPPORTED]',
      'keepalived.conf:6:3: directive "script_user" is not supported [TSHA_E_NOT_SUPPORTED]'
    ])
  }
)

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
      ['    priority 100\n', '\n'],
      '2:5: missing priority: default 255 means the address owner, which is not supported; use 1 to 254 [TSHA_E_VALUE]'
    ],
    [
      ['priority 100', 'priority 255'],
      '5:14: priority 255 means the address owner, which is not supported; use 1 to 254 [TSHA_E_VALUE]'
    ],
    [
      ['advert_int 1', 'advert_int 0.5'],
      '6:16: advert_interval "0.5s" is out of range; use 1s to 255s [TSHA_E_VALUE]'
    ],
    [
      ['auth_type PASS', 'auth_type AH'],
      '8:19: auth_type AH is not supported; use PASS [TSHA_E_NOT_SUPPORTED]'
    ],
    [
      ['        auth_pass 123456\n', '\n'],
      '7:5: auth_pass is missing in authentication [TSHA_E_REQUIRED]'
    ],
    [
      ['192.0.2.1/24', '192.0.2.1/33'],
      '12:9: virtual_ipaddress "192.0.2.1/33" is not valid; use an IPv4 address such as 192.0.2.1/24 [TSHA_E_VALUE]'
    ],
    [
      ['192.0.2.1/24', '192.0.2.1/24 dev eth1'],
      '12:22: "dev" of a virtual_ipaddress is not supported; use addresses alone [TSHA_E_NOT_SUPPORTED]'
    ],
    [
      ['192.0.2.1/24', '2001:db8::1'],
      '12:9: IPv6 address 2001:db8::1 is not supported; use IPv4 addresses [TSHA_E_NOT_SUPPORTED]'
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

    t.strictSame(
      await problemsOf(t, { 'keepalived.conf': conf({ before: script(''), line: track() }) }),
      [
        'keepalived.conf:19:2: weight 0 (the virtual router stops when the check fails) is not supported; use -253 to 253, but not 0 [TSHA_E_VALUE]'
      ]
    )
    t.strictSame(await problemsOf(t, { 'keepalived.conf': conf({ line: track('other') }) }), [
      'keepalived.conf:15:2: check "other" does not exist [TSHA_E_REFERENCE]'
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

import t from 'tap'
import { compareAddresses } from '../../src/vrrp/wire/address.js'

t.test('addresses are ordered as numbers, not as text', (t) => {
  for (const [lesser, greater] of [
    ['192.168.64.9', '192.168.64.130'],
    ['9.255.255.255', '10.0.0.0'],
    ['fe80::9', 'fe80::10'],
    ['fe80::ffff', 'fe80::1:0'],
    ['fe80::1', 'fe80:0:0:1::'],
    ['::', '::1'],
    ['2001:db8::1', 'fe80::1%eth0'],
    ['::ffff:10.0.0.1', '::ffff:10.0.1.0']
  ] as const) {
    t.ok(compareAddresses(lesser, greater) < 0, `${lesser} < ${greater}`)
    t.ok(compareAddresses(greater, lesser) > 0, `${greater} > ${lesser}`)
  }
  t.end()
})

t.test('one address in two forms is one address', (t) => {
  t.equal(compareAddresses('fe80::1', 'FE80:0:0:0:0:0:0:1'), 0)
  t.equal(compareAddresses('fe80::1%eth0', 'fe80::1'), 0)
  t.equal(compareAddresses('192.168.64.130', '192.168.64.130'), 0)
  t.end()
})

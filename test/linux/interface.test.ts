import t from 'tap'
import { ownAddress, parseInterfaces, type NetworkInterface } from '../../src/linux/interface.js'

/** What iproute2 6.1 writes, shortened. */
const JSON_TEXT = `[{},{"ifindex":7,"ifname":"ens160","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1500,
"address":"02:00:00:00:00:01","addr_info":[
{"family":"inet","local":"192.168.64.200","prefixlen":24,"scope":"global","label":"ens160"},
{"family":"inet","local":"192.168.64.130","prefixlen":24,"scope":"global","label":"ens160"},
{"family":"inet6","local":"fd00::5","prefixlen":64,"scope":"global"},
{"family":"inet6","local":"fe80::200","prefixlen":128,"scope":"link","deprecated":true},
{"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link","tentative":true},
{"family":"inet6","local":"fe80::2","prefixlen":64,"scope":"link"}]},
{"ifindex":1,"ifname":"lo","flags":["LOOPBACK"],"mtu":65536,"addr_info":[]}]`

const [ens160, lo] = parseInterfaces(JSON_TEXT) as [NetworkInterface, NetworkInterface]
const virtual = ['192.168.64.200', 'fe80::200']

t.test('interfaces are read with every address, link-local ones before others', (t) => {
  t.match(ens160, { name: 'ens160', index: 7, mac: '02:00:00:00:00:01', mtu: 1500, isUp: true })
  t.strictSame(
    ens160.addresses.map(
      ({ address, family, isTentative }) => `${address} ${family} ${isTentative}`
    ),
    [
      '192.168.64.200 ipv4 false',
      '192.168.64.130 ipv4 false',
      'fe80::200 ipv6 false',
      'fe80::1 ipv6 true',
      'fe80::2 ipv6 false',
      'fd00::5 ipv6 false'
    ]
  )
  t.match(lo, { name: 'lo', mac: '', isUp: false, hasCarrier: false, addresses: [] })
  t.end()
})

t.test('advertisements never come from a virtual address', (t) => {
  t.equal(ownAddress(ens160, 'ipv4', virtual), '192.168.64.130')
  t.equal(ownAddress(ens160, 'ipv4', [...virtual, '192.168.64.130']), null)
  t.end()
})

t.test('those of IPv6 come from a link-local address that can be used', (t) => {
  t.equal(ownAddress(ens160, 'ipv6', virtual), 'fe80::2')
  t.equal(ownAddress(ens160, 'ipv6', [...virtual, 'fe80::2']), null, 'tentative or global')
  t.end()
})

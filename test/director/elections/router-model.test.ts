import t from 'tap'
import { primaryAddressOf } from '../../../src/director/elections/router-model.js'
import type { NetworkInterface } from '../../../src/linux/interface.js'
import { ROUTER } from './router-config.js'

/** As Linux has them: the newest IPv6 address is the first one. */
function interfaceWith(...addresses: string[]): NetworkInterface {
  return {
    ...{ name: 'ens160', index: 2, mac: '02:00:00:00:00:01', mtu: 1500, flags: [] },
    ...{ hasCarrier: true, isUp: true },
    addresses: addresses.map((address) => ({
      address,
      prefixLength: 64,
      family: address.includes(':') ? ('ipv6' as const) : ('ipv4' as const),
      scope: 'link',
      isTentative: false
    }))
  }
}

const config = {
  ...ROUTER,
  family: 'ipv6' as const,
  addresses: [
    {
      ...{ address: 'fe80::200', prefixLength: 64, interface: null, broadcast: null, label: null },
      ...{ scope: null, noPrefixRoute: false, peer: null, isDeprecated: false, noTrack: false }
    }
  ]
}

t.test('advertisements come from no virtual address, of whichever virtual router', (t) => {
  const found = interfaceWith('fe80::100', 'fe80::200', 'fe80::1', '192.0.2.1')
  t.equal(primaryAddressOf(config, found, ['fe80::200', 'fe80::100']), 'fe80::1')
  t.equal(primaryAddressOf({ ...config, sourceAddress: 'fe80::7' }, found, []), 'fe80::7')
  t.end()
})

t.test('but from one that another virtual router owns, where there is no other', (t) => {
  const found = interfaceWith('fe80::100')
  t.equal(primaryAddressOf(config, found, ['fe80::200', 'fe80::100']), 'fe80::100')
  const none = { code: 'TSHA_E_INTERFACE', message: /has no IPv6 link-local address of its own/ }
  t.throws(() => primaryAddressOf(config, interfaceWith('fe80::200'), ['fe80::200']), none)
  t.end()
})

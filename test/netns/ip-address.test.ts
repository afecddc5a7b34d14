import { execFileSync } from 'node:child_process'
import t from 'tap'
import { readInterface, readInterfaces } from '../../src/linux/interface.js'
import { IpAddressManager, type LeasableAddress } from '../../src/linux/ip-address.js'
import { enterOwnNetwork, ip, layCable } from './lab/own-network.js'
import { cannotRun } from './lab/requirements.js'

const PLAIN = {
  interface: null,
  broadcast: null,
  label: null,
  scope: null,
  noPrefixRoute: false,
  peer: null,
  isDeprecated: false
}

const ADDRESSES: readonly LeasableAddress[] = [
  { ...PLAIN, address: '10.0.0.200', prefixLength: 24 },
  {
    address: '10.9.9.9',
    prefixLength: 24,
    interface: null,
    broadcast: '+',
    label: 'near:9',
    scope: 'link',
    noPrefixRoute: true,
    peer: null,
    isDeprecated: false
  },
  { ...PLAIN, address: '10.9.7.9', prefixLength: 32, interface: 'far' },
  { ...PLAIN, address: 'fe80::200', prefixLength: 128, isDeprecated: true },
  { ...PLAIN, address: 'fd00:1::200', prefixLength: 64 },
  { ...PLAIN, address: '10.6.6.1', prefixLength: 30, peer: '10.6.6.2' },
  { ...PLAIN, address: '10.7.7.7', prefixLength: 32, isDeprecated: true },
  { ...PLAIN, address: 'fd00:2::200', prefixLength: 128 }
]

/** One line for each address, without what differs from time to time. */
function listed(name: string): string[] {
  return execFileSync('ip', ['-oneline', 'addr', 'show', 'dev', name], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => / inet6? /.test(line) && !/fe80::ff:/.test(line))
    .map((line) =>
      line
        .replace(/^\d+: \S+ +/, '')
        .replace('\\', ' ')
        .replace(/ +/g, ' ')
    )
    .sort()
}

function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

await t.test('addresses are held with ip addr', { skip: cannotRun() }, async (t) => {
  enterOwnNetwork()
  layCable('near', 'far')
  ip('addr add 10.0.0.1/24 dev near')
  const own = listed('near')
  const said: string[] = []
  const observer = {
    failed: (message: string) => void said.push(message),
    holdable: (isHoldable: boolean) => void said.push(isHoldable ? 'holdable' : 'not holdable')
  }
  const manage = (
    addresses: readonly LeasableAddress[],
    leaseMs: number | null = null
  ): IpAddressManager => {
    const manager = new IpAddressManager('near', addresses, leaseMs, observer)
    t.teardown(() => {
      manager.close()
    })
    return manager
  }

  await t.test('for ever, as keepalived 2.2.7 adds them', async (t) => {
    const manager = manage(ADDRESSES)
    t.equal(manager.isHolding, false)
    await manager.add()
    t.equal(manager.isHolding, true)
    t.strictSame(
      listed('near'),
      [
        ...own,
        'inet 10.0.0.200/24 scope global secondary near valid_lft forever preferred_lft forever',
        'inet 10.6.6.1 peer 10.6.6.2/30 scope global near valid_lft forever preferred_lft forever',
        'inet 10.7.7.7/32 scope global deprecated near valid_lft forever preferred_lft forever',
        'inet 10.9.9.9/24 brd 10.9.9.255 scope link noprefixroute near:9 valid_lft forever preferred_lft forever',
        'inet6 fd00:1::200/64 scope global nodad valid_lft forever preferred_lft forever',
        'inet6 fd00:2::200/128 scope global nodad valid_lft forever preferred_lft forever',
        'inet6 fe80::200/128 scope link nodad deprecated valid_lft forever preferred_lft 0sec'
      ].sort()
    )
    t.strictSame(listed('far'), [
      'inet 10.9.7.9/32 scope global far valid_lft forever preferred_lft forever'
    ])
    await manager.remove()
    t.equal(manager.isHolding, false)
    t.strictSame([...listed('near'), ...listed('far')], own)
    await manager.remove()
    t.strictSame(said, [], 'addresses that are not there are no failure')
  })

  await t.test('leased: the kernel removes them, IPv6 too, when nobody renews them', async (t) => {
    const manager = manage(ADDRESSES, 2000)
    await manager.add()
    t.equal([...listed('near'), ...listed('far')].length, own.length + ADDRESSES.length)
    t.match(
      listed('near').find((line) => line.includes('fd00:1::200')),
      / nodad dynamic valid_lft [12]sec preferred_lft [12]sec$/
    )
    t.match(
      listed('near').find((line) => line.includes('fe80::200')),
      / nodad deprecated dynamic valid_lft [12]sec preferred_lft 0sec$/
    )
    manager.close()
    const from = Date.now()
    while ([...listed('near'), ...listed('far')].length > own.length && Date.now() < from + 5000) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const took = Date.now() - from
    t.ok(took > 1000 && took < 3000, `${took} ms`)
  })

  await t.test(
    'a pause ends the lease: nothing is added before it is decided, twice',
    async (t) => {
      const [first] = ADDRESSES
      if (!first) throw new Error('there is one')
      const manager = manage([first], 1000)
      await manager.add()
      t.equal(listed('near').length, own.length + 1)
      // The loop stands still as the process does when it is stopped.
      standStill(1600)
      await new Promise((resolve) => setTimeout(resolve, 20))
      standStill(1600)
      await new Promise((resolve) => setTimeout(resolve, 25))
      t.strictSame(listed('near'), own, 'whoever decides has time to remove them')
      const from = Date.now()
      while (listed('near').length === own.length && Date.now() < from + 2000)
        await new Promise((resolve) => setTimeout(resolve, 20))
      t.equal(listed('near').length, own.length + 1, 'nobody did')
      await manager.remove()
      t.strictSame(said, [])
    }
  )

  await t.test('left-overs are cleared on every interface, under any prefix length', async (t) => {
    ip(
      'addr add 10.0.0.200/32 dev near',
      'addr add 10.9.7.9/24 dev far',
      'addr add fe80::200/64 dev near nodad',
      'addr add fd00:1::200/64 dev near nodad'
    )
    await manage(ADDRESSES).clear(await readInterfaces())
    t.strictSame([...listed('near'), ...listed('far')], own)
  })

  await t.test('what one address is refused for is told once; the others are held', async (t) => {
    const nowhere = { ...PLAIN, address: '10.0.0.201', prefixLength: 24, interface: 'nowhere' }
    const manager = manage([nowhere, ...ADDRESSES])
    await manager.add()
    await manager.add()
    t.strictSame(said.splice(0), [
      'cannot hold the addresses on near: Cannot find device "nowhere"'
    ])
    t.equal([...listed('near'), ...listed('far')].length, own.length + ADDRESSES.length)
    await manager.remove()
    t.strictSame(said, [])
  })

  await t.test('an interface with all its addresses is read, link-local ones first', async (t) => {
    ip('addr add fd00::5/64 dev near nodad', 'addr add 10.0.0.2/24 dev near', 'link set far down')
    const { addresses, ...found } = await readInterface('near')
    t.match(found, {
      name: 'near',
      mac: '02:00:00:00:00:01',
      mtu: 1500,
      isUp: false,
      hasCarrier: false,
      flags: ['NO-CARRIER', 'BROADCAST', 'MULTICAST', 'UP', 'M-DOWN']
    })
    t.strictSame(
      addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`),
      ['10.0.0.1/24', '10.0.0.2/24', 'fe80::ff:fe00:1/64', 'fd00::5/64']
    )
    ip('link set far up')
    const up = await readInterface('near')
    t.equal(up.isUp && up.hasCarrier, true)
    await t.rejects(readInterface('nowhere'), {
      code: 'TSHA_E_INTERFACE',
      message: 'interface nowhere does not exist; this machine has lo, far, near'
    })
  })
})

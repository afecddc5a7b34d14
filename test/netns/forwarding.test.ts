import { writeFileSync } from 'node:fs'
import t from 'tap'
import { forwardsIpv6 } from '../../src/linux/forwarding.js'
import { enterOwnNetwork, layCable } from './lab/own-network.js'
import { cannotRun } from './lab/requirements.js'

await t.test(
  'whether an interface forwards IPv6 is read as it is now',
  { skip: cannotRun() },
  (t) => {
    enterOwnNetwork()
    layCable('near', 'far')
    t.equal(forwardsIpv6('near'), false)
    writeFileSync('/proc/sys/net/ipv6/conf/near/forwarding', '1')
    t.equal(forwardsIpv6('near'), true)
    t.equal(forwardsIpv6('far'), false)
    t.equal(forwardsIpv6('nowhere'), false)
    t.end()
    return Promise.resolve()
  }
)

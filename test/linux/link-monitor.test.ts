import t from 'tap'
import { parseLinkLine } from '../../src/linux/link-monitor.js'

t.test('iproute2 6.1: the carrier is there when both UP and LOWER_UP are', (t) => {
  const line = (flags: string): string =>
    `2: ens160@if3: <${flags}> mtu 1500 qdisc noqueue state UP group default \\    link/ether 02:00:c0:a8:40:82`
  t.equal(parseLinkLine(line('BROADCAST,MULTICAST,UP,LOWER_UP')), true)
  t.equal(parseLinkLine(line('NO-CARRIER,BROADCAST,MULTICAST,UP')), false)
  t.equal(parseLinkLine(line('BROADCAST,MULTICAST')), false, 'switched off')
  t.equal(parseLinkLine(`Deleted ${line('BROADCAST,MULTICAST,UP,LOWER_UP')}`), false)
  t.equal(parseLinkLine('    link/ether 02:00:c0:a8:40:82'), null)
  t.end()
})

import t from 'tap'
import { parseMonitorLine } from '../../src/linux/monitor-line.js'

const link = (flags: string): string =>
  `2: ens160@if3: <${flags}> mtu 1500 qdisc noqueue state UP group default \\    link/ether 02:00:c0:a8:40:82`

t.test('iproute2 6.1: the carrier is there when both UP and LOWER_UP are', (t) => {
  const told = { kind: 'link', index: 2, name: 'ens160' }
  t.strictSame(parseMonitorLine(link('BROADCAST,MULTICAST,UP,LOWER_UP')), { ...told, isUp: true })
  t.strictSame(parseMonitorLine(link('NO-CARRIER,BROADCAST,MULTICAST,UP')), {
    ...told,
    isUp: false
  })
  t.strictSame(parseMonitorLine(link('BROADCAST,MULTICAST')), { ...told, isUp: false }, 'off')
  t.strictSame(
    parseMonitorLine(`Deleted ${link('BROADCAST,MULTICAST,UP,LOWER_UP')}`),
    { ...told, isUp: null },
    'deleted, or only taken out of a bridge'
  )
  t.strictSame(parseMonitorLine('3: ens.5@ens: <UP,LOWER_UP> mtu 1500 '), {
    kind: 'link',
    index: 3,
    name: 'ens.5',
    isUp: true
  })
  t.end()
})

t.test('iproute2 6.1: addresses that come and go', (t) => {
  t.strictSame(
    parseMonitorLine(
      '2: ens160    inet 192.168.64.200/24 scope global secondary dynamic ens160\\       valid_lft 3sec preferred_lft 3sec'
    ),
    { kind: 'address', index: 2, address: '192.168.64.200', prefixLength: 24, isPresent: true }
  )
  t.strictSame(
    parseMonitorLine(
      'Deleted 2: ens160    inet6 fd00::200/128 scope global nodad deprecated \\       valid_lft forever preferred_lft 0sec'
    ),
    { kind: 'address', index: 2, address: 'fd00::200', prefixLength: 128, isPresent: false }
  )
  t.strictSame(
    parseMonitorLine('4: ppp0    inet 10.0.0.1 peer 10.0.0.2/30 scope global ppp0\\  '),
    { kind: 'address', index: 4, address: '10.0.0.1', prefixLength: 30, isPresent: true }
  )
  t.end()
})

t.test('lines of other kinds tell nothing', (t) => {
  for (const line of [
    '    link/ether 02:00:c0:a8:40:82',
    '',
    'Timestamp: now',
    'Unknown message: 7'
  ])
    t.equal(parseMonitorLine(line), null, line)
  t.end()
})

import t from 'tap'
import type { Announcements, VirtualRouterConfig } from '../../src/config/model.js'
import { AddressGuard } from '../../src/director/addresses/address-guard.js'
import { systemClock } from '../../src/linux/clock.js'
import { readInterface } from '../../src/linux/interface.js'
import { LogRecord } from '../director/log-record.js'
import { readGolden } from '../vrrp/golden.js'
import { Capture } from './lab/capture.js'
import { Host } from './lab/host.js'
import { enterOwnNetwork, ip } from './lab/own-network.js'
import { cannotRun } from './lab/requirements.js'
import { until } from './lab/until.js'

const OURS = '02:00:c0:a8:40:82'
const ANOTHER = '02:00:00:00:00:66'
const VIP = '192.168.64.200'
const VIP6 = '2001:db8::c8'
const WAIT_TIMEOUT_MS = 10_000

const PLACE = {
  interface: null,
  broadcast: null,
  label: null,
  scope: null,
  noPrefixRoute: false,
  peer: null,
  isDeprecated: false,
  noTrack: false
}

/** What of a configuration the guard reads; the rest is somebody else's. */
function configWith(announcements: Partial<Announcements>): VirtualRouterConfig {
  return {
    interface: 'ens160',
    advertIntervalMs: 1000,
    downTimerAdverts: 3,
    addresses: [{ ...PLACE, address: VIP, prefixLength: 24 }],
    excludedAddresses: [{ ...PLACE, address: VIP6, prefixLength: 64 }],
    announcements: {
      repeat: 5,
      delayMs: 5000,
      refreshMs: 0,
      refreshRepeat: 1,
      lowerPriorityRepeat: 5,
      lowerPriorityDelayMs: 5000,
      garpIntervalMs: 0,
      gnaIntervalMs: 0,
      gateway: null,
      ...announcements
    }
  } as unknown as VirtualRouterConfig
}

/** Classic BPF: a frame of this type (offset 12) gives 2, TC_ACT_SHOT; anything else 0, TC_ACT_OK. */
function dropping(etherType: number): string {
  return `4,40 0 0 12,21 0 1 ${etherType},6 0 0 2,6 0 0 0`
}

await t.test('a neighbour on the wire', { skip: cannotRun('tcpdump', 'tc') }, async (t) => {
  enterOwnNetwork()
  const gateway = await Host.start({ name: 'gateway', address: null })
  t.teardown(() => gateway.close())
  ip(`link add ens160 address ${OURS} type veth peer name lan netns ${gateway.pid}`)
  const inside = async (...args: string[]): Promise<string> => gateway.must('ip', ...args)
  await gateway.must('sh', '-c', 'echo 0 > /proc/sys/net/ipv6/conf/lan/disable_ipv6')
  await inside('addr', 'add', '192.168.64.1/24', 'dev', 'lan')
  await inside('addr', 'add', '2001:db8::1/64', 'dev', 'lan', 'nodad')
  await inside('link', 'set', 'lan', 'up')
  ip(
    'link set ens160 up',
    'addr add 192.168.64.130/24 dev ens160',
    `addr add ${VIP}/24 dev ens160`,
    `addr add ${VIP6}/64 dev ens160 nodad`
  )
  const found = await readInterface('ens160')

  const open = (announcements: Partial<Announcements>): [AddressGuard, LogRecord] => {
    const journal = new LogRecord()
    const guard = new AddressGuard(configWith(announcements), [found], {
      clock: systemClock,
      log: journal.log,
      addresses: { isHolding: true, heldUntil: Infinity, add: () => Promise.resolve() },
      forwardsIpv6: () => false,
      yields: () => undefined
    })
    return [guard, journal]
  }
  const entryOf = async (address: string): Promise<string> =>
    inside('neigh', 'show', address, 'dev', 'lan')
  const isUpToDate = async (address: string): Promise<boolean> =>
    (await entryOf(address)).includes(OURS)
  const rememberAnother = async (address: string): Promise<void> => {
    const entry = ['lladdr', ANOTHER, 'nud', 'reachable', 'dev', 'lan']
    await inside('neigh', 'replace', address, ...entry)
  }

  await t.test('reads what keepalived would have sent, in its order and number', async (t) => {
    const capture = await Capture.start(gateway, 'lan', 'arp or (icmp6 and ip6[40] == 136)')
    const [guard] = open({})
    await rememberAnother(VIP)
    await rememberAnother(VIP6)
    guard.announcer.announce('mastery')
    let frames = 0
    await capture.packets.waitFor(() => (frames += 1) === 10, 'tenth frame', WAIT_TIMEOUT_MS)
    guard.close()
    const arp = Buffer.from(readGolden('gratuitous-arp')).toString('hex')
    const na = Buffer.from(readGolden('neighbour-advertisement')).toString('hex')
    t.strictSame(
      capture.packets.entries.slice(0, 10).map(({ bytes }) => bytes.toString('hex')),
      [arp, na, arp, na, arp, na, arp, na, arp, na]
    )
    await until('IPv4 learnt', () => isUpToDate(VIP), WAIT_TIMEOUT_MS)
    await until('IPv6 learnt', () => isUpToDate(VIP6), WAIT_TIMEOUT_MS)
    await capture.stop()
  })

  await t.test(
    'gets one frame in 50 ms where that is asked for, and none after cancel',
    async (t) => {
      const capture = await Capture.start(gateway, 'lan', 'arp')
      const [guard] = open({ repeat: 4, garpIntervalMs: 50 })
      guard.announcer.announce('mastery')
      let frames = 0
      await capture.packets.waitFor(() => (frames += 1) === 3, 'third frame', WAIT_TIMEOUT_MS)
      guard.announcer.cancel()
      const [first, second, third] = capture.packets.entries.map(({ at }) => at)
      const gaps = [(second ?? 0) - (first ?? 0), (third ?? 0) - (second ?? 0)]
      t.ok(
        gaps.every((gap) => gap > 45),
        `${gaps.join(' and ')} ms`
      )
      await t.rejects(
        capture.packets.waitFor(() => true, 'fourth frame', 200, capture.packets.mark),
        { name: 'WaitTimeout' }
      )
      guard.close()
      await capture.stop()
    }
  )

  for (const [family, address, asked, etherType] of [
    ['IPv4', VIP, '192.168.64.1', 0x0806],
    ['IPv6', VIP6, '2001:db8::1', 0x86dd]
  ] as const)
    await t.test(
      `${family}: a gateway that hears nothing at first learns it all the same`,
      async (t) => {
        await rememberAnother(address)
        await gateway.must('tc', 'qdisc', 'add', 'dev', 'lan', 'clsact')
        const filter = ['dev', 'lan', 'ingress', 'bpf', 'da', 'bytecode', dropping(etherType)]
        await gateway.must('tc', 'filter', 'add', ...filter)
        const [guard, journal] = open({ gateway: asked })
        guard.announcer.announce('mastery')
        const areLost = async (): Promise<boolean> => {
          const text = await gateway.must('tc', '-s', 'qdisc', 'show', 'dev', 'lan')
          return Number(/clsact[^]*dropped (\d+)/.exec(text)?.[1] ?? 0) >= 10
        }
        await until('ten frames lost', areLost, WAIT_TIMEOUT_MS)
        t.match(await entryOf(address), ANOTHER, 'nothing got through')
        await gateway.must('tc', 'qdisc', 'del', 'dev', 'lan', 'clsact')
        await until('learnt', () => isUpToDate(address), WAIT_TIMEOUT_MS)
        await until('told', () => Promise.resolve(journal.lines.length > 0), WAIT_TIMEOUT_MS)
        t.match(journal.lines, [/^warn the gateway answers to the virtual addresses only now/])
        guard.close()
      }
    )

  await t.test('a gateway that hears everything is asked once, and nothing is told', async (t) => {
    const capture = await Capture.start(gateway, 'lan', 'arp[6:2] == 2 and ether dst host ' + OURS)
    const [guard, journal] = open({ gateway: '192.168.64.1' })
    guard.announcer.announce('mastery')
    await capture.packets.waitFor(() => true, 'answer', WAIT_TIMEOUT_MS)
    await t.rejects(
      capture.packets.waitFor(() => true, 'second answer', 500, capture.packets.mark),
      { name: 'WaitTimeout' }
    )
    t.strictSame(journal.lines, [])
    guard.close()
    await capture.stop()
  })
})

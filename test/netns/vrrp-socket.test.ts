import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { openPacketReceiver } from '../../src/linux/packet-receiver.js'
import { addressBytes } from '../../src/linux/socket-address.js'
import type { ExpectedAdvertisement } from '../../src/linux/vrrp-filter.js'
import { openVrrpSocket, type VrrpSocketOptions } from '../../src/linux/vrrp-socket.js'
import { Arrivals, enterOwnNetwork, indexOf, ip, layCable, sendFrame } from './lab/own-network.js'
import { cannotRun } from './lab/requirements.js'

const FAR = '020000000002'
const NEAR = '020000000001'
const GROUP_MAC = '01005e000012'
const GROUP6_MAC = '333300000012'
const PASSWORD = '3132333435360000'
const FLOOD = fileURLToPath(new URL('./lab/flood.js', import.meta.url))

interface Advert {
  vrid?: number
  ttl?: number
  version?: number
  authType?: number
  interval?: number
  auth?: string
  source?: string
  to?: string
  destination?: string
  count?: number
}

const byte = (value: number): string => value.toString(16).padStart(2, '0')
const hexOf = (address: string): string => Buffer.from(addressBytes(address)).toString('hex')
const hex = (packet: Uint8Array): string => Buffer.from(packet).toString('hex')

/** An IPv4 packet of VRRPv2 with one address, unless `count` says so wrongly. */
function advert(options: Advert = {}): string {
  const { vrid = 51, ttl = 255, version = 2, authType = 1, interval = 1 } = options
  const { auth = PASSWORD, count = 1 } = options
  const { source = '10.0.0.2', destination = '224.0.0.18' } = options
  const message = `${version}1${byte(vrid)}64${byte(count)}${byte(authType)}${byte(interval)}0000c0a840c8${auth}`
  const head = `45c0${byte(0)}${byte(20 + message.length / 2)}00010000${byte(ttl)}70`
  const tail = `${hexOf(source)}${hexOf(destination)}`
  return `${head}${checksum(`${head}0000${tail}`)}${tail}${message}`
}

function frameOf(packet: string, to = GROUP_MAC): string {
  return `${to}${FAR}${packet.startsWith('6') ? '86dd' : '0800'}${packet}`
}

function checksum(header: string): string {
  let sum = 0
  for (const word of header.match(/.{4}/g) ?? []) sum += Number.parseInt(word, 16)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return (~sum & 0xffff).toString(16).padStart(4, '0')
}

/** An IPv6 packet of VRRPv3 with one address. */
function advert6({ vrid = 51, hops = 255, to = 'ff02::12', source = 'fe80::2' } = {}): string {
  const message = `31${byte(vrid)}640100640000${hexOf('fe80::200')}`
  return `6c0000000018${byte(0x70)}${byte(hops)}${hexOf(source)}${hexOf(to)}${message}`
}

const EXPECTED: ExpectedAdvertisement = {
  family: 'ipv4',
  vrid: 51,
  version: 2,
  destination: '224.0.0.18',
  sources: null,
  ttl: { min: 255, max: 255 },
  authType: 1,
  authData: Buffer.from(PASSWORD, 'hex'),
  adverInt: 1
}

const EXPECTED6: ExpectedAdvertisement = {
  ...EXPECTED,
  family: 'ipv6',
  version: 3,
  destination: 'ff02::12',
  authType: null,
  authData: null,
  adverInt: null
}

await t.test('advertisements are sent and received', { skip: cannotRun() }, async (t) => {
  enterOwnNetwork()
  layCable('near', 'far')
  ip('addr add 10.0.0.1/24 dev near', 'addr add fe80::1/64 dev near nodad')
  const errors: string[] = []
  const onError = (error: Error): void => void errors.push(error.message)
  const place = { interface: 'near', interfaceIndex: indexOf('near') }
  const MULTICAST: VrrpSocketOptions = {
    ...place,
    family: 'ipv4',
    group: '224.0.0.18',
    source: '10.0.0.1',
    expected: EXPECTED,
    tellsForeign: false
  }
  const UNICAST = {
    ...MULTICAST,
    group: null,
    expected: { ...EXPECTED, destination: null, sources: ['10.0.0.2', '10.0.0.3'] }
  }
  const MULTICAST6: VrrpSocketOptions = {
    ...place,
    family: 'ipv6',
    group: 'ff02::12',
    source: 'fe80::1',
    expected: EXPECTED6,
    tellsForeign: false
  }
  /** Sends frames to a socket and resolves with what came of them, the last of which has to come. */
  const receive = async (
    options: VrrpSocketOptions,
    frames: readonly string[],
    last: string
  ): Promise<string[]> => {
    const packets = new Arrivals<string>()
    const socket = openVrrpSocket(
      options,
      (packet) => {
        packets.add(hex(packet))
      },
      onError
    )
    try {
      for (const frame of frames) sendFrame('far', frame)
      await packets.first((packet) => packet === last, 'the last one')
      return packets.all
    } finally {
      socket.close()
    }
  }

  await t.test('IPv4 to the group: whole packets', async (t) => {
    const packets = await receive(MULTICAST, [frameOf(advert())], advert())
    t.strictSame(packets, [advert()])
  })

  await t.test('packets that will be discarded come too, those of others do not', async (t) => {
    const deviating = [
      advert({ ttl: 254 }),
      advert({ version: 3 }),
      advert({ authType: 0 }),
      advert({ auth: '3132333435360001' }),
      advert({ auth: '3132333435370000' }),
      advert({ auth: '' }),
      advert({ count: 2 }),
      advert({ count: 255 }),
      advert({ interval: 2 })
    ]
    const frames = [advert({ vrid: 52 }), advert({ vrid: 50 }), ...deviating, advert()]
    const packets = await receive(
      MULTICAST,
      frames.map((packet) => frameOf(packet)),
      advert({ interval: 2 })
    )
    t.strictSame(new Set(packets), new Set([...deviating, advert()]))
    t.equal(packets.length, deviating.length + 1, 'each of them once')
  })

  await t.test('packets for other virtual routers come when they are asked for', async (t) => {
    const foreign = advert({ vrid: 52 })
    t.strictSame(await receive({ ...MULTICAST, tellsForeign: true }, [frameOf(foreign)], foreign), [
      foreign
    ])
    t.strictSame(await receive({ ...MULTICAST, expected: null }, [frameOf(foreign)], foreign), [
      foreign
    ])
  })

  await t.test('IPv4 to our own address: from partners only, and not the group', async (t) => {
    const to = { destination: '10.0.0.1' }
    const own = advert({ ...to, source: '10.0.0.3' })
    const stranger = advert({ ...to, source: '10.0.0.4', auth: '0000000000000000' })
    const packets = await receive(
      UNICAST,
      [frameOf(advert()), frameOf(stranger, NEAR), frameOf(own, NEAR)],
      own
    )
    t.ok(packets.includes(own))
    t.notOk(packets.includes(advert()))
  })

  await t.test('IPv4 is received at an address that comes later', async (t) => {
    const packets = new Arrivals<string>()
    const socket = openVrrpSocket(
      { ...UNICAST, source: '10.0.0.77' },
      (packet) => {
        packets.add(hex(packet))
      },
      onError
    )
    t.teardown(() => {
      socket.close()
    })
    ip('addr add 10.0.0.77/24 dev near')
    const packet = advert({ destination: '10.0.0.77' })
    sendFrame('far', frameOf(packet, NEAR))
    t.equal(await packets.first(() => true, 'the advertisement'), packet)
  })

  await t.test('IPv4 is sent as it is given', async (t) => {
    const sent = await sniff('0x0800', advert({ source: '10.0.0.99' }), MULTICAST, '224.0.0.18')
    t.equal(sent, advert({ source: '10.0.0.99' }))
  })

  await t.test('IPv6 to the group: whole packets, of our virtual router', async (t) => {
    const packets = await receive(
      MULTICAST6,
      [advert6({ vrid: 52 }), advert6(), advert6({ hops: 64 })].map((p) => frameOf(p, GROUP6_MAC)),
      advert6({ hops: 64 })
    )
    t.strictSame(new Set(packets), new Set([advert6(), advert6({ hops: 64 })]))
  })

  await t.test('IPv6 to our own address', async (t) => {
    const packet = advert6({ to: 'fe80::1' })
    const options = { ...MULTICAST6, group: null, expected: { ...EXPECTED6, destination: null } }
    t.strictSame(await receive(options, [frameOf(packet, NEAR)], packet), [packet])
  })

  await t.test('IPv6 is sent as it is given, to the group and to a partner', async (t) => {
    const packet = advert6({ source: 'fe80::1' })
    t.equal(await sniff('vrrp6', packet, MULTICAST6, 'ff02::12'), packet)
    ip('neigh add fe80::2 lladdr 02:00:00:00:00:02 dev near')
    const toPartner = advert6({ source: 'fe80::1', to: 'fe80::2' })
    const options = { ...MULTICAST6, group: null }
    t.equal(await sniff('vrrp6', toPartner, options, 'fe80::2'), toPartner)
  })

  await t.test('a flood that will be discarded costs little, and hides nothing', async (t) => {
    const FLOOD_SECONDS = 2
    const packets = new Arrivals<string>()
    const socket = openVrrpSocket(
      MULTICAST,
      (packet) => {
        packets.add(hex(packet))
      },
      onError
    )
    t.teardown(() => {
      socket.close()
    })
    for (const [vrid, mostRead] of [
      [52, 0],
      [51, (FLOOD_SECONDS + 1) * 100]
    ] as const) {
      packets.all.splice(0)
      const flood = advert({ vrid, auth: '3132333435370000' })
      const args = [indexOf('far'), 50_000, FLOOD_SECONDS, frameOf(flood)].map(String)
      const child = spawn(process.execPath, [FLOOD, ...args], { stdio: 'ignore' })
      t.teardown(() => {
        child.kill('SIGKILL')
      })
      let sent = 0
      const before = process.cpuUsage()
      const genuine = setInterval(() => {
        sendFrame('far', frameOf(advert()))
        sent += 1
      }, 10)
      await once(child, 'exit')
      clearInterval(genuine)
      const { user, system } = process.cpuUsage(before)
      const cpuMs = Math.round((user + system) / 1000)
      await packets.first(
        () => packets.all.filter((packet) => packet === advert()).length === sent,
        'every genuine advertisement'
      )
      const read = packets.all.filter((packet) => packet === flood).length
      t.ok(read <= mostRead, `${read} of the flood read`)
      t.ok(
        cpuMs < FLOOD_SECONDS * 500,
        `${cpuMs} ms of CPU in ${FLOOD_SECONDS} s, our senders' too`
      )
    }
    t.ok(socket.drops > 1000, `${socket.drops} thrown away unread`)
  })

  /** What leaves on the cable when a packet is sent. */
  async function sniff(
    kind: 'vrrp6' | '0x0800',
    packet: string,
    options: VrrpSocketOptions,
    destination: string
  ): Promise<string> {
    const packets = new Arrivals<string>()
    const add = (received: Uint8Array): void => {
      packets.add(hex(received))
    }
    const far = { interface: 'far', interfaceIndex: indexOf('far') }
    const receiver =
      kind === 'vrrp6'
        ? openPacketReceiver(far.interfaceIndex, kind, add, onError)
        : openVrrpSocket({ ...MULTICAST, ...far, expected: null }, add, onError)
    const socket = openVrrpSocket(options, () => undefined, onError)
    try {
      socket.send(Buffer.from(packet, 'hex'), destination)
      await socket.flush()
      return await packets.first(() => true, 'the packet')
    } finally {
      socket.close()
      receiver.close()
    }
  }

  t.strictSame(errors, [])
})

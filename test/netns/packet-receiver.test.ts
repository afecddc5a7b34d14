import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import t from 'tap'
import { arpFilter, neighbourDiscoveryFilter } from '../../src/linux/packet-filter.js'
import { openPacketReceiver } from '../../src/linux/packet-receiver.js'
import { addressBytes } from '../../src/linux/socket-address.js'
import { Arrivals, enterOwnNetwork, indexOf, ip, layCable, sendFrame } from './lab/own-network.js'
import { cannotRun } from './lab/requirements.js'

const EVERYBODY = 'ffffffffffff'
const FAR = '020000000002'
const NEAR = '020000000001'
const VIP = '0a0000c8'
const CLIENT = '0a000009'
const DIRECTOR = '0a000001'

interface Arp {
  to?: string
  operation?: 1 | 2
  sender: string
  target: string
}

function arp({ to = EVERYBODY, operation = 1, sender, target }: Arp): string {
  const hardware = operation === 2 ? NEAR : '000000000000'
  return `${to}${FAR}0806000108000604000${operation}${FAR}${sender}${hardware}${target}`
}

const VIP6 = 'fd000000000000000000000000000200'
const GATEWAY6 = 'fe800000000000000000000000000009'
const ALL_NODES = 'ff020000000000000000000000000001'
const UNSPECIFIED = '00000000000000000000000000000000'

interface Icmp {
  type: number
  from: string
  to: string
  target: string
  hops?: string
  next?: string
}

function icmp({ type, from, to, target, hops = 'ff', next = '3a' }: Icmp): string {
  const header = `333300000001${FAR}86dd600000000018${next}${hops}${from}${to}`
  return `${header}${type.toString(16)}00000000000000${target}`
}

await t.test(
  'frames of one kind are received on one interface',
  { skip: cannotRun() },
  async (t) => {
    enterOwnNetwork()
    layCable('near', 'far')
    const errors: Error[] = []
    const onError = (error: Error): void => void errors.push(error)
    const hex = (frame: Uint8Array): string => Buffer.from(frame).toString('hex')

    await t.test('arp: whole frames, as they are on the wire', async (t) => {
      const frames = new Arrivals<string>()
      const receiver = openPacketReceiver(
        indexOf('near'),
        'arp',
        (f) => {
          frames.add(hex(f))
        },
        onError
      )
      t.teardown(() => {
        receiver.close()
      })
      const request = arp({ sender: CLIENT, target: DIRECTOR })
      sendFrame('far', icmp({ type: 136, from: GATEWAY6, to: ALL_NODES, target: VIP6 }))
      sendFrame('near', arp({ sender: DIRECTOR, target: CLIENT }))
      sendFrame('far', request)
      await frames.first((frame) => frame === request, 'the request')
      t.strictSame(frames.all, [request], 'neither IPv6 nor what we send ourselves')
    })

    await t.test('arp: with addresses, only what concerns their holder', async (t) => {
      const frames = new Arrivals<string>()
      const filter = arpFilter([addressBytes('10.0.0.199'), addressBytes('10.0.0.200')])
      const receiver = openPacketReceiver(
        indexOf('near'),
        'arp',
        (f) => {
          frames.add(hex(f))
        },
        onError,
        filter
      )
      t.teardown(() => {
        receiver.close()
      })
      const wanted = {
        claim: arp({ sender: VIP, target: VIP }),
        answer: arp({ to: NEAR, operation: 2, sender: CLIENT, target: VIP }),
        probe: arp({ sender: '00000000', target: VIP }),
        request: arp({ sender: VIP, target: CLIENT })
      }
      sendFrame('far', arp({ sender: CLIENT, target: VIP }))
      sendFrame('far', arp({ to: NEAR, operation: 2, sender: CLIENT, target: DIRECTOR }))
      sendFrame('far', arp({ sender: '00000000', target: CLIENT }))
      sendFrame('far', arp({ to: '020000000099', operation: 2, sender: VIP, target: CLIENT }))
      for (const frame of Object.values(wanted)) sendFrame('far', frame)
      await frames.first((frame) => frame === wanted.request, 'the last one')
      t.strictSame(frames.all, Object.values(wanted), 'requests of clients wake nobody')
    })

    await t.test('arp: more addresses than a filter holds pass every frame', async (t) => {
      const frames = new Arrivals<string>()
      const addresses = Array.from({ length: 255 }, (_, i) => addressBytes(`10.0.1.${i}`))
      const receiver = openPacketReceiver(
        indexOf('near'),
        'arp',
        (f) => {
          frames.add(hex(f))
        },
        onError,
        arpFilter(addresses)
      )
      t.teardown(() => {
        receiver.close()
      })
      const request = arp({ sender: CLIENT, target: DIRECTOR })
      sendFrame('far', request)
      await frames.first((frame) => frame === request, 'the request')
    })

    await t.test(
      'neighbour discovery: solicitations and advertisements, with hop limit 255',
      async (t) => {
        const frames = new Arrivals<string>()
        const receiver = openPacketReceiver(
          indexOf('near'),
          'neighbour-discovery',
          (f) => {
            frames.add(hex(f))
          },
          onError
        )
        t.teardown(() => {
          receiver.close()
        })
        const advertisement = { type: 136, from: GATEWAY6, to: ALL_NODES, target: VIP6 }
        const solicitation = { ...advertisement, type: 135 }
        sendFrame('far', icmp({ ...advertisement, hops: 'fe' }))
        sendFrame('far', icmp({ ...advertisement, next: '11' }))
        sendFrame('far', icmp({ ...advertisement, type: 134 }))
        sendFrame('far', icmp(solicitation))
        sendFrame('far', icmp(advertisement))
        await frames.first((frame) => frame === icmp(advertisement), 'the advertisement')
        const foreign = frames.all.filter((frame) => frame.includes(GATEWAY6))
        t.strictSame(foreign, [icmp(solicitation), icmp(advertisement)])
      }
    )

    await t.test(
      'neighbour discovery: with 64 addresses, only what concerns their holder',
      async (t) => {
        const frames = new Arrivals<string>()
        const others = Array.from({ length: 63 }, (_, i) =>
          addressBytes(`fd00::3:${i.toString(16)}`)
        )
        const receiver = openPacketReceiver(
          indexOf('near'),
          'neighbour-discovery',
          (f) => {
            frames.add(hex(f))
          },
          onError,
          neighbourDiscoveryFilter([...others, addressBytes('fd00::200')])
        )
        t.teardown(() => {
          receiver.close()
        })
        const wanted = [
          icmp({ type: 136, from: GATEWAY6, to: ALL_NODES, target: VIP6 }),
          icmp({ type: 136, from: GATEWAY6, to: VIP6, target: GATEWAY6 }),
          icmp({ type: 135, from: UNSPECIFIED, to: ALL_NODES, target: VIP6 })
        ]
        sendFrame('far', icmp({ type: 136, from: GATEWAY6, to: ALL_NODES, target: GATEWAY6 }))
        sendFrame('far', icmp({ type: 135, from: GATEWAY6, to: ALL_NODES, target: VIP6 }))
        for (const frame of wanted) sendFrame('far', frame)
        await frames.first((frame) => frame === wanted[2], 'the last one')
        t.strictSame(frames.all, wanted, 'solicitations of clients wake nobody')
      }
    )

    await t.test('vrrp6: whole IPv6 packets, without the link header', async (t) => {
      const packets = new Arrivals<string>()
      const receiver = openPacketReceiver(
        indexOf('near'),
        'vrrp6',
        (packet) => {
          packets.add(hex(packet))
        },
        onError
      )
      t.teardown(() => {
        receiver.close()
      })
      const packet = `60000000000870ff${GATEWAY6}ff0200000000000000000000000000123133640100640000`
      sendFrame('far', `333300000012${FAR}86dd${packet}`)
      t.equal(await packets.first(() => true, 'the packet'), packet)
    })

    await t.test('an interface that goes down and up again is received on', async (t) => {
      const frames = new Arrivals<string>()
      ip('link set near down')
      const receiver = openPacketReceiver(
        indexOf('near'),
        'arp',
        (f) => {
          frames.add(hex(f))
        },
        onError
      )
      t.teardown(() => {
        receiver.close()
      })
      const receive = async (sender: string): Promise<void> => {
        const frame = arp({ sender, target: DIRECTOR })
        const repeat = setInterval(() => {
          sendFrame('far', frame)
        }, 20)
        await frames
          .first((each) => each === frame, `frame of ${sender}`)
          .finally(() => {
            clearInterval(repeat)
          })
      }
      ip('link set near up')
      await receive('0a000011')
      ip('link set near down', 'link set near up')
      await receive('0a000012')
      t.strictSame(errors, [], 'which is no error')
    })

    await t.test('its descriptors are closed, and never inherited', (t) => {
      const receiver = openPacketReceiver(indexOf('near'), 'arp', () => undefined, onError)
      const inode = /(\d+)\s*$/.exec(readFileSync('/proc/net/packet', 'latin1'))?.[1] ?? ''
      const descriptors = (folder: string): number =>
        readdirSync(folder).filter((fd) => linkOf(`${folder}/${fd}`) === `socket:[${inode}]`).length
      t.equal(descriptors('/proc/self/fd'), 2)
      const child = spawn('sleep', ['60'], { stdio: 'ignore' })
      t.teardown(() => child.kill('SIGKILL'))
      t.equal(descriptors(`/proc/${child.pid ?? 0}/fd`), 0)
      receiver.close()
      receiver.close()
      t.equal(receiver.drops, 0)
      t.equal(descriptors('/proc/self/fd'), 0)
      t.end()
    })

    await t.test('an interface that does not exist is refused', (t) => {
      t.throws(() => openPacketReceiver(4711, 'arp', () => undefined, onError), {
        code: 'TSHA_E_PACKET_SOCKET',
        message: 'cannot open a packet socket: bind: ENODEV'
      })
      t.end()
    })
  }
)

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return '' // it was the descriptor that read the folder
  }
}

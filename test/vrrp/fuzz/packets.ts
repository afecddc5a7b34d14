import type { VirtualRouter } from '../../../src/vrrp/model.js'
import { encodeAdvertisement } from '../../../src/vrrp/send.js'
import type { Stamp } from '../../../src/vrrp/wire/hmac.js'
import { Random } from '../../fuzz/random.js'
import { GOLDEN, HMAC, listenerOf } from '../golden-routers.js'
import { readGolden } from '../golden.js'

/** Who is thrown at, and a packet that it accepts. */
export interface Target {
  readonly listener: VirtualRouter
  readonly golden: Uint8Array
}

/** The listeners of all golden packets, and some with settings that those do not have. */
export const TARGETS: readonly Target[] = [
  ...GOLDEN.map((golden) => ({ listener: listenerOf(golden), golden: readGolden(golden.file) })),
  changed('v3-ipv4-unicast', (listener) => ({
    ...listener,
    destination: {
      kind: 'unicast',
      peers: [{ address: '192.168.64.130', ttl: { min: 60, max: 64 } }],
      checkSource: false,
      ttl: 64
    }
  })),
  changed('v2-hmac', (listener) => ({
    ...listener,
    authentication: { ...HMAC, mode: 'permissive', antiReplay: 'monotonic' }
  })),
  changed('v3-ipv4-unicast', (listener) => ({ ...listener, isOwner: true, ignoresAdverts: true }))
]

function changed(file: string, change: (listener: VirtualRouter) => VirtualRouter): Target {
  const golden = GOLDEN.find((each) => each.file === file)
  if (!golden) throw new Error(`there is no golden packet ${file}`)
  return { listener: change(listenerOf(golden)), golden: readGolden(file) }
}

/** Bytes that decoders stumble over. */
const EDGES = [
  0, 1, 2, 0x0f, 0x10, 0x21, 0x31, 0x45, 0x46, 0x4f, 0x60, 0x70, 0x7f, 0x80, 0xfe, 0xff
]
const LONGEST = 1400

/** Makes packets for one listener: right ones, and what mutation and chance make of them. */
export class PacketSource {
  readonly #random: Random
  readonly #listener: VirtualRouter
  readonly #golden: Uint8Array
  #stamp: Stamp

  constructor(random: Random, { listener, golden }: Target, stamp: Stamp) {
    this.#random = random
    this.#listener = listener
    this.#golden = golden
    this.#stamp = stamp
  }

  next(): Uint8Array {
    const random = this.#random
    switch (random.below(32)) {
      case 0:
        return this.right()
      case 1:
        return this.#mutated(this.right(), 1 + random.below(3))
      case 2:
      case 3:
        return this.#noise()
      case 4:
        return this.#another()
      case 5:
        return random.oneIn(4) ? this.#withAuthenticationHeader() : this.#golden
      default:
        return this.#mutated(this.#golden.slice(), 1 + random.below(3))
    }
  }

  /** An advertisement that every check passes; its addresses may be others than the listener's. */
  right(): Uint8Array {
    const random = this.#random
    const listener = this.#listener
    const { destination, family, authentication } = listener
    this.#stamp += 1n
    const count = random.oneIn(8) ? random.below(9) : listener.addresses.length
    const own = random.oneIn(2) && count === listener.addresses.length
    const sender: VirtualRouter = {
      ...listener,
      primaryAddress: this.#sender(),
      addresses: own
        ? listener.addresses
        : Array.from({ length: count }, () => this.#address(family)),
      adverInterval: listener.version === 2 ? listener.adverInterval : 10 + 10 * random.below(4095),
      checksumPseudoHeader: random.oneIn(2)
    }
    const packet = encodeAdvertisement(sender, {
      priority: random.below(256),
      identification: 1 + random.below(0xffff),
      destination: destination.kind === 'multicast' ? destination.group : listener.primaryAddress,
      stamp: authentication.type === 'hmac' ? this.#stamp : null
    })
    return packet
  }

  /** What another virtual router of the segment would send. */
  #another(): Uint8Array {
    const target = TARGETS[this.#random.below(TARGETS.length)]
    return (target?.golden ?? this.#golden).slice()
  }

  #withAuthenticationHeader(): Uint8Array {
    const packet = Uint8Array.of(
      ...this.#golden.subarray(0, 20),
      ...new Uint8Array(24),
      ...this.#golden.subarray(20)
    )
    packet[9] = 51
    return packet
  }

  #sender(): string {
    const { destination, family } = this.#listener
    if (destination.kind === 'unicast') return destination.peers[0]?.address ?? ''
    return family === 'ipv4'
      ? `192.168.64.${this.#random.below(130)}`
      : `fe80::${1 + this.#random.below(9)}`
  }

  #address(family: 'ipv4' | 'ipv6'): string {
    const byte = (): number => this.#random.below(256)
    return family === 'ipv4'
      ? `${byte()}.${byte()}.${byte()}.${byte()}`
      : `2001:db8::${byte().toString(16)}:${byte().toString(16)}`
  }

  #noise(): Uint8Array {
    const random = this.#random
    const packet = new Uint8Array(random.below(random.oneIn(50) ? LONGEST : 120))
    for (let i = 0; i < packet.length; i++) packet[i] = random.below(256)
    // Let it look like a packet for this listener at least now and then.
    if (random.oneIn(2)) packet.set(this.#golden.subarray(0, Math.min(24, packet.length)))
    return packet
  }

  #mutated(packet: Uint8Array, times: number): Uint8Array {
    let mutant = packet
    for (let i = 0; i < times; i++) mutant = this.#mutate(mutant)
    return this.#random.oneIn(4) ? this.#withChecksum(mutant) : mutant
  }

  #mutate(packet: Uint8Array): Uint8Array {
    const random = this.#random
    const at = random.below(packet.length)
    switch (random.below(8)) {
      case 0:
        return packet.slice(0, at)
      case 1: {
        const longer = new Uint8Array(packet.length + 1 + random.below(random.oneIn(9) ? 600 : 30))
        longer.set(packet)
        return longer
      }
      case 2:
        packet[at] = random.below(256)
        return packet
      case 3:
        packet[at] = random.pick(EDGES as [number])
        return packet
      case 4: {
        // Take bytes out, or double them: lengths no longer agree.
        const from = Math.min(packet.length, at + 1 + random.below(8))
        return random.oneIn(2)
          ? joined(packet.subarray(0, at), packet.subarray(from))
          : joined(packet.subarray(0, from), packet.subarray(at))
      }
      default:
        packet[at] = (packet[at] ?? 0) ^ (1 << random.below(8))
        return packet
    }
  }

  /** Makes the checksum of the message right, so that what is behind it is reached. */
  #withChecksum(packet: Uint8Array): Uint8Array {
    const { family, version } = this.#listener
    const from = family === 'ipv4' ? 20 : 40
    if (packet.length < from + 8) return packet
    const view = new DataView(packet.buffer, packet.byteOffset, packet.length)
    const isSigned = this.#listener.authentication.type === 'hmac' && family === 'ipv4'
    const to = isSigned ? Math.max(from + 8, packet.length - 28) : packet.length
    view.setUint16(from + 6, 0)
    let sum = 0
    if (version === 3) {
      for (let i = from === 20 ? 12 : 8; i < from; i += 2) sum += view.getUint16(i)
      sum += 112 + to - from
    }
    for (let i = from; i + 1 < to; i += 2) sum += view.getUint16(i)
    view.setUint16(from + 6, ~((sum % 0xffff) & 0xffff))
    return packet
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}

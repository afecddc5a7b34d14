import type { VirtualRouter } from '../../../src/vrrp/model.js'
import type { Verdict } from '../../../src/vrrp/receive.js'
import { encodeAdvertisement } from '../../../src/vrrp/send.js'
import { readAddresses } from '../../../src/vrrp/wire/address.js'
import { KEY } from '../golden-routers.js'

type Accepted = Extract<Verdict, { ok: true }>

const TRAILER = 28

/**
 * Why an accepted packet should not have been accepted: a sender that is configured like the listener
 * must have been able to send it. What it would have sent is encoded and compared; checksums are
 * added up anew, in the plainest way.
 *
 * @returns null when the verdict is right
 */
export function objection(
  listener: VirtualRouter,
  packet: Uint8Array,
  verdict: Accepted
): string | null {
  const isIpv4 = listener.family === 'ipv4'
  const headerLength = isIpv4 ? ((packet[0] ?? 0) & 0x0f) * 4 : 40
  const message = packet.subarray(headerLength)
  const isSigned = listener.authentication.type === 'hmac' && hasTrailer(listener, message)
  const { source, priority, adverInterval } = verdict
  const sent = encodeAdvertisement(
    {
      ...listener,
      primaryAddress: source,
      adverInterval,
      addresses: readAddresses(message, 8, message[3] ?? 0, listener.family),
      authentication:
        listener.authentication.type === 'hmac' && !isSigned
          ? { type: 'none' }
          : listener.authentication
    },
    {
      priority,
      identification: 1,
      destination:
        listener.destination.kind === 'multicast'
          ? listener.destination.group
          : listener.primaryAddress,
      stamp: isSigned ? trailerStamp(message, listener) : null
    }
  )
  const expected = sent.subarray(isIpv4 ? 20 : 40)
  return (
    objectionToHeader(listener, packet, sent, headerLength + expected.length) ??
    objectionToMessage(listener, packet, headerLength, expected) ??
    (source === listener.primaryAddress ? 'it is our own' : null) ??
    (listener.version === 2 && adverInterval !== listener.adverInterval ? 'the interval' : null)
  )
}

function objectionToHeader(
  { family, destination }: VirtualRouter,
  packet: Uint8Array,
  sent: Uint8Array,
  length: number
): string | null {
  const isIpv4 = family === 'ipv4'
  const [from, to, protocolAt, ttlAt] = isIpv4 ? [12, 20, 9, 8] : [8, 40, 6, 7]
  if ((packet[0] ?? 0) >>> 4 !== (isIpv4 ? 4 : 6)) return 'the IP version'
  if (packet[protocolAt] !== 112) return 'the protocol'
  if (destination.kind === 'multicast' && packet[ttlAt] !== 255) return 'the TTL'
  for (let i = from; i < to; i++) if (packet[i] !== sent[i]) return 'source or destination'
  const told = isIpv4 ? word(packet, 2) : word(packet, 4) + 40
  if (told !== length && told !== packet.length) return 'the length in the IP header'
  const isPadded = packet.length <= 46 && (packet.length - length) % 4 === 2
  if (isIpv4 && packet.length !== length && !isPadded) return 'the length'
  return packet.length < length ? 'it is cut short' : null
}

function objectionToMessage(
  { family, version, authentication }: VirtualRouter,
  packet: Uint8Array,
  from: number,
  expected: Uint8Array
): string | null {
  // Without a password receivers ignore the authentication data (RFC 3768 §5.3.10).
  const length = messageLength(packet, from, version)
  const ignoredFrom = version === 2 && authentication.type !== 'pass' ? length - 8 : length
  for (let i = 0; i < expected.length; i++) {
    if (i === 6 || i === 7 || (i >= ignoredFrom && i < length)) continue
    // VRRPv3 has four reserved bits before the interval.
    const mask = version === 3 && i === 4 ? 0x0f : 0xff
    if (((packet[from + i] ?? 0) & mask) !== ((expected[i] ?? 0) & mask)) return `byte ${i}`
  }
  if (version === 3 && (word(packet, from + 4) & 0x0fff) === 0) return 'the interval'
  const covered = family === 'ipv6' ? expected.length : length
  const plain = added(packet, from, from + covered)
  const addressesAt = family === 'ipv4' ? 12 : 8
  const addressesLength = family === 'ipv4' ? 8 : 32
  const pseudo = plain + added(packet, addressesAt, addressesAt + addressesLength) + 112 + covered
  const isPlainAllowed = family === 'ipv4'
  const isPseudoAllowed = version === 3
  const isRight = (sum: number): boolean => sum > 0 && sum % 0xffff === 0
  if (isPlainAllowed && isRight(plain)) return null
  return isPseudoAllowed && isRight(pseudo) ? null : 'the checksum'
}

function messageLength(packet: Uint8Array, from: number, version: number): number {
  return 8 + (packet[from + 3] ?? 0) * 4 + (version === 2 ? 8 : 0)
}

function hasTrailer({ family, version }: VirtualRouter, message: Uint8Array): boolean {
  const each = family === 'ipv4' ? 4 : 16
  return message.length >= 8 + (message[3] ?? 0) * each + (version === 2 ? 8 : 0) + TRAILER
}

/** Seconds, fraction and counter; the packet has to be signed with the only key there is. */
function trailerStamp(message: Uint8Array, { family, version }: VirtualRouter): bigint {
  const each = family === 'ipv4' ? 4 : 16
  const at = 8 + (message[3] ?? 0) * each + (version === 2 ? 8 : 0)
  if (message[at + 1] !== KEY.id) throw new Error('an unknown key was accepted')
  const view = new DataView(message.buffer, message.byteOffset + at + 4, 8)
  return view.getBigUint64(0)
}

function added(packet: Uint8Array, from: number, to: number): number {
  let sum = 0
  for (let i = from; i < to; i += 2) sum += word(packet, i)
  return sum
}

function word(packet: Uint8Array, at: number): number {
  return (packet[at] ?? 0) * 256 + (packet[at + 1] ?? 0)
}

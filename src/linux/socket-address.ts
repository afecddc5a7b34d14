import { isIPv4, isIPv6 } from 'node:net'
import { AF_INET, AF_INET6, AF_PACKET } from './syscalls/socket.js'

/** The kernel's `struct sockaddr`s, and addresses as bytes. Host byte order is little endian. */

const SOCKADDR_IN_LENGTH = 16
const SOCKADDR_IN6_LENGTH = 28
const SOCKADDR_LL_LENGTH = 20
const IPV6_LENGTH = 16
const ETHERNET_ADDRESS_LENGTH = 6

/**
 * An address as 4 or 16 bytes; a zone (`%eth0`) is left out.
 *
 * @throws {RangeError} when the text is no IP address
 */
export function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.').map(Number))
  if (!isIPv6(address)) throw new RangeError(`${address} is not an IP address`)
  const text = address.replace(/%.*$/, '')
  const [head = '', tail] = text.split('::')
  const front = groupsOf(head)
  const back = groupsOf(tail ?? '')
  const bytes = new Uint8Array(IPV6_LENGTH)
  bytes.set(front)
  bytes.set(back, IPV6_LENGTH - back.length)
  return bytes
}

/** `struct sockaddr_in` of ip(7), port 0. */
export function ipv4SocketAddress(address: string): Uint8Array {
  const bytes = Buffer.alloc(SOCKADDR_IN_LENGTH)
  bytes.writeUInt16LE(AF_INET, 0)
  bytes.set(addressBytes(address), 4)
  return bytes
}

/**
 * `struct sockaddr_in6` of ipv6(7), port 0.
 *
 * @param scope interface index, which a link-local address needs
 */
export function ipv6SocketAddress(address: string, scope: number): Uint8Array {
  const bytes = Buffer.alloc(SOCKADDR_IN6_LENGTH)
  bytes.writeUInt16LE(AF_INET6, 0)
  bytes.set(addressBytes(address), 8)
  bytes.writeUInt32LE(scope, 24)
  return bytes
}

/**
 * `struct sockaddr_ll` of packet(7).
 *
 * @param protocol EtherType
 * @param destination hardware address, for sending
 */
export function packetSocketAddress(
  interfaceIndex: number,
  protocol: number,
  destination: Uint8Array = new Uint8Array(0)
): Uint8Array {
  const bytes = Buffer.alloc(SOCKADDR_LL_LENGTH)
  bytes.writeUInt16LE(AF_PACKET, 0)
  bytes.writeUInt16BE(protocol, 2)
  bytes.writeInt32LE(interfaceIndex, 4)
  bytes.writeUInt8(destination.length, 11)
  bytes.set(destination.subarray(0, ETHERNET_ADDRESS_LENGTH), 12)
  return bytes
}

function groupsOf(text: string): readonly number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}

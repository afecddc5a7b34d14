import { errnoOf, TshaError } from '../errors.js'
import { AF_PACKET, closeDescriptor, openSocket, sendTo, SOCK_RAW } from './syscalls.js'

const SOCKADDR_LL_LENGTH = 20
const ETHERNET_DESTINATION_LENGTH = 6

/** Sends whole Ethernet frames on one interface. */
export interface PacketSocket {
  /** @throws {SyscallError} when the kernel refuses the frame, such as `ENETDOWN` */
  send(frame: Uint8Array): void
  close(): void
}

/**
 * Opens a packet socket that only sends: with protocol 0 the kernel never queues a received frame.
 *
 * @throws {TshaError} `TSHA_E_PACKET_SOCKET`
 */
export function openPacketSocket(interfaceIndex: number): PacketSocket {
  let fd: number
  try {
    fd = openSocket(AF_PACKET, SOCK_RAW, 0)
  } catch (cause) {
    const hint = errnoOf(cause) === 'EPERM' ? ': needs root or CAP_NET_RAW' : ''
    throw new TshaError('TSHA_E_PACKET_SOCKET', `cannot open a packet socket${hint}`, { cause })
  }
  return {
    send(frame) {
      sendTo(fd, frame, linkLayerAddress(interfaceIndex, frame))
    },
    close() {
      closeDescriptor(fd)
    }
  }
}

/** `struct sockaddr_ll` of packet(7), in host byte order but for the protocol. */
function linkLayerAddress(interfaceIndex: number, frame: Uint8Array): Uint8Array {
  const address = Buffer.alloc(SOCKADDR_LL_LENGTH)
  address.writeUInt16LE(AF_PACKET, 0)
  address.set(frame.subarray(12, 14), 2)
  address.writeInt32LE(interfaceIndex, 4)
  address.writeUInt8(ETHERNET_DESTINATION_LENGTH, 11)
  address.set(frame.subarray(0, ETHERNET_DESTINATION_LENGTH), 12)
  return address
}

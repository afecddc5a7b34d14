import { errnoOf, TshaError } from '../errors.js'
import { packetSocketAddress } from './socket-address.js'
import { AF_PACKET, closeDescriptor, openSocket, sendTo, SOCK_RAW } from './syscalls/socket.js'

const ETHERNET_ADDRESS_LENGTH = 6

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
      sendTo(fd, frame, destinationOf(interfaceIndex, frame))
    },
    close() {
      closeDescriptor(fd)
    }
  }
}

function destinationOf(interfaceIndex: number, frame: Uint8Array): Uint8Array {
  const etherType = ((frame[12] ?? 0) << 8) | (frame[13] ?? 0)
  return packetSocketAddress(interfaceIndex, etherType, frame.subarray(0, ETHERNET_ADDRESS_LENGTH))
}

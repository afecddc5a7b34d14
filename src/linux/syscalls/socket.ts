import { check, declare, declareStruct } from './libc.js'

declareStruct('sock_fprog', { length: 'uint16_t', filter: 'const uint8_t *' })

const socketCall = declare('int socket(int domain, int type, int protocol)')
const closeCall = declare('int close(int fd)')
const dup3Call = declare('int dup3(int from, int to, int flags)')
const bindCall = declare('int bind(int fd, const uint8_t *address, uint32_t length)')
const sendtoCall = declare(
  'intptr_t sendto(int fd, const uint8_t *data, size_t length, int flags, const uint8_t *address, uint32_t addressLength)'
)
const getsockoptCall = declare(
  'int getsockopt(int fd, int level, int option, void *value, void *length)'
)
const setsockoptCall = declare(
  'int setsockopt(int fd, int level, int option, const uint8_t *value, uint32_t length)'
)
const attachFilterCall = declare(
  'int setsockopt(int fd, int level, int option, const sock_fprog *program, uint32_t length)'
)

export const AF_UNIX = 1
export const AF_INET = 2
export const AF_INET6 = 10
export const AF_PACKET = 17
export const SOCK_DGRAM = 2
export const SOCK_RAW = 3
export const SOL_SOCKET = 1
export const SO_ERROR = 4
export const SO_RCVBUF = 8
export const SO_PRIORITY = 12
export const SO_BINDTODEVICE = 25
const SO_ATTACH_FILTER = 26
const SO_MEMINFO = 55
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const MSG_NOSIGNAL = 0x4000
/** Where the dropped packets stand in what SO_MEMINFO gives: linux/sock_diag.h. */
const SK_MEMINFO_DROPS = 8
const SK_MEMINFO_LENGTH = 9
/** `struct sock_filter` and, on 64-bit machines, `struct sock_fprog`. */
const INSTRUCTION_LENGTH = 8
const PROGRAM_LENGTH = 16

/** Opens a non-blocking socket that child processes do not inherit. */
export function openSocket(domain: number, type: number, protocol: number): number {
  return check('socket', socketCall(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol))
}

export function closeDescriptor(fd: number): void {
  check('close', closeCall(fd))
}

/** Makes `to` another name of what `from` is; what `to` was is closed, and no child inherits it. */
export function replaceDescriptor(from: number, to: number): void {
  check('dup3', dup3Call(from, to, SOCK_CLOEXEC))
}

/** @param address a `struct sockaddr` of the socket's family */
export function bindSocket(fd: number, address: Uint8Array): void {
  check('bind', bindCall(fd, address, address.length))
}

/** Sends one datagram or frame; never waits: a full queue fails with `EAGAIN`. */
export function sendTo(fd: number, data: Uint8Array, address: Uint8Array): void {
  check('sendto', sendtoCall(fd, data, data.length, MSG_NOSIGNAL, address, address.length))
}

/** @param value an `int`, or the bytes of a structure */
export function setSocketOption(
  fd: number,
  level: number,
  option: number,
  value: number | Uint8Array
): void {
  const bytes = typeof value === 'number' ? int(value) : value
  check('setsockopt', setsockoptCall(fd, level, option, bytes, bytes.length))
}

/** The value of an option that is an `int`. */
export function readSocketOption(fd: number, level: number, option: number): number {
  const value = Buffer.alloc(4)
  check('getsockopt', getsockoptCall(fd, level, option, value, int(value.length)))
  return value.readInt32LE()
}

/** How many packets the kernel has thrown away because nobody read them in time. */
export function readDrops(fd: number): number {
  const value = Buffer.alloc(4 * SK_MEMINFO_LENGTH)
  check('getsockopt', getsockoptCall(fd, SOL_SOCKET, SO_MEMINFO, value, int(value.length)))
  return value.readUInt32LE(4 * SK_MEMINFO_DROPS)
}

/** @param program instructions of classic BPF, 8 bytes each */
export function attachFilter(fd: number, program: Uint8Array): void {
  const value = { length: program.length / INSTRUCTION_LENGTH, filter: program }
  const result = attachFilterCall(fd, SOL_SOCKET, SO_ATTACH_FILTER, value, PROGRAM_LENGTH)
  check('setsockopt', result)
}

function int(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

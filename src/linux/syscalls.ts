import koffi from 'koffi'

/**
 * The door to system calls that Node does not have. Each one is a short, non-blocking call; failures
 * are thrown as `SyscallError` with the name of the errno.
 */
const libc = koffi.load(null)
const socketCall = libc.func('int socket(int domain, int type, int protocol)')
const closeCall = libc.func('int close(int fd)')
const sendtoCall = libc.func(
  'intptr_t sendto(int fd, const uint8_t *data, size_t length, int flags, const uint8_t *address, uint32_t addressLength)'
)
const exitCall = libc.func('void _exit(int status)')
const fcntlCall = libc.func('int fcntl(int fd, int command, int argument)')
const prctlCall = libc.func(
  'int prctl(int operation, unsigned long a, unsigned long b, unsigned long c, unsigned long d)'
)

export const AF_UNIX = 1
export const AF_PACKET = 17
export const SOCK_DGRAM = 2
export const SOCK_RAW = 3
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const MSG_NOSIGNAL = 0x4000
const F_SETFD = 2
const FD_CLOEXEC = 1
const PR_CAP_AMBIENT = 47
const PR_CAP_AMBIENT_RAISE = 2
const PR_CAP_AMBIENT_CLEAR_ALL = 4

/** A system call that failed. `code` is the errno's name, such as `EPERM`. */
export class SyscallError extends Error {
  override readonly name = 'SyscallError'
  readonly code: string

  constructor(call: string) {
    const code = errnoName(koffi.errno())
    super(`${call}: ${code}`)
    this.code = code
  }
}

function errnoName(errno: number): string {
  for (const [name, value] of Object.entries(koffi.os.errno)) if (value === errno) return name
  return `errno ${errno}`
}

function check(call: string, result: unknown): number {
  if (typeof result !== 'number' || result < 0) throw new SyscallError(call)
  return result
}

/** Opens a non-blocking socket that child processes do not inherit. */
export function openSocket(domain: number, type: number, protocol: number): number {
  return check('socket', socketCall(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol))
}

/** Sends one datagram or frame; never waits: a full queue fails with `EAGAIN`. */
export function sendTo(fd: number, data: Uint8Array, address: Uint8Array): void {
  check('sendto', sendtoCall(fd, data, data.length, MSG_NOSIGNAL, address, address.length))
}

export function closeDescriptor(fd: number): void {
  check('close', closeCall(fd))
}

/**
 * Ends this process at once. `process.exit` waits for every thread of libuv's pool, and with it for a
 * name server or a disk that never answers. What is to be written has to be written before.
 */
export function exitNow(status: number): void {
  exitCall(status)
}

/** Keeps a descriptor out of child processes. */
export function setCloseOnExec(fd: number): void {
  check('fcntl', fcntlCall(fd, F_SETFD, FD_CLOEXEC))
}

/** Empties the ambient capabilities of this thread, which child processes would inherit. */
export function clearAmbientCapabilities(): void {
  check('prctl', prctlCall(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
}

/** @param capability its number in linux/capability.h */
export function raiseAmbientCapability(capability: number): void {
  check('prctl', prctlCall(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0))
}

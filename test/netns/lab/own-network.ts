import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { openPacketSocket } from '../../../src/linux/packet-socket.js'
import { check, declare } from '../../../src/linux/syscalls/libc.js'

const CLONE_NEWNET = 0x40000000
const CLONE_NEWNS = 0x20000
const MS_REC_PRIVATE = 0x44000
const WAIT_TIMEOUT_MS = 5000
const IP_TIMEOUT_MS = 5000

/**
 * Moves this process into a network of its own, which vanishes with it. Threads that exist already stay
 * where they are, so sockets have to be opened by the main thread.
 */
export function enterOwnNetwork(): void {
  const unshare = declare('int unshare(int flags)')
  const mount = declare(
    'int mount(const char *source, const char *target, const char *type, unsigned long flags, void *data)'
  )
  check('unshare', unshare(CLONE_NEWNET | CLONE_NEWNS))
  check('mount', mount('none', '/', null, MS_REC_PRIVATE, null))
  check('mount', mount('sysfs', '/sys', 'sysfs', 0, null))
}

/** Runs `ip` commands of this process's network, one a line. */
export function ip(...lines: readonly string[]): string {
  return execFileSync('ip', ['-batch', '-'], {
    input: `${lines.join('\n')}\n`,
    encoding: 'utf8',
    timeout: IP_TIMEOUT_MS,
    stdio: ['pipe', 'pipe', 'pipe']
  })
}

/** A cable between two interfaces of this process's network, both up. */
export function layCable(near: string, far: string): void {
  ip(
    `link add ${near} address 02:00:00:00:00:01 type veth peer name ${far} address 02:00:00:00:00:02`,
    `link set ${far} up`,
    `link set ${near} up`
  )
}

export function indexOf(interfaceName: string): number {
  return Number(readFileSync(`/sys/class/net/${interfaceName}/ifindex`, 'latin1'))
}

/** Puts one frame, in hexadecimal, on an interface. */
export function sendFrame(interfaceName: string, hex: string): void {
  const socket = openPacketSocket(indexOf(interfaceName))
  socket.send(Buffer.from(hex.replace(/\s/g, ''), 'hex'))
  socket.close()
}

/** Things that come one by one, and waiting for them. */
export class Arrivals<T> {
  readonly all: T[] = []
  #waiting: (() => void) | null = null

  readonly add = (item: T): void => {
    this.all.push(item)
    this.#waiting?.()
  }

  /** Resolves with the first item that `matches`, which may have come already. */
  async first(matches: (item: T) => boolean, what: string): Promise<T> {
    const deadline = setTimeout(() => {
      this.#waiting?.()
    }, WAIT_TIMEOUT_MS)
    const end = Date.now() + WAIT_TIMEOUT_MS
    try {
      for (;;) {
        const found = this.all.find(matches)
        if (found !== undefined) return found
        if (Date.now() >= end) throw new Error(`${what} did not come: ${JSON.stringify(this.all)}`)
        await new Promise<void>((resolve) => (this.#waiting = resolve))
      }
    } finally {
      clearTimeout(deadline)
    }
  }
}

import { readFileSync } from 'node:fs'
import { clearAmbientCapabilities, raiseAmbientCapability } from './syscalls/process.js'

/**
 * The ambient capabilities of this process, by number. systemd gives them to a service that does not
 * run as root; every child process inherits them.
 */
const ambient = readAmbient()

/**
 * Starts a child process that must not have our capabilities: they are set aside while `start` forks.
 * The calling thread is the one that forks in Node.
 */
export function withoutCapabilities<T>(start: () => T): T {
  if (ambient.length === 0) return start()
  clearAmbientCapabilities()
  try {
    return start()
  } finally {
    for (const capability of ambient) raiseAmbientCapability(capability)
  }
}

function readAmbient(): readonly number[] {
  const mask = /^CapAmb:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
  const bits = BigInt(`0x${mask ?? '0'}`)
  const numbers: number[] = []
  for (let bit = 0; bit < 64; bit++) if ((bits >> BigInt(bit)) & 1n) numbers.push(bit)
  return numbers
}

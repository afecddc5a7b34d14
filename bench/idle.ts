import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Fleet, Program } from './fleet.js'
import { SMALL } from './scenarios.js'
import { memoryKib } from './usage.js'

const PROGRAM = fileURLToPath(new URL('./idle-clients.js', import.meta.url))

/** How many clients are connected and silent. */
export const IDLE_CLIENTS = 10_000
/** What a proxy is configured for while they are there. */
export const IDLE_CONNECTIONS = 65_536
/** HAProxy wants two for each connection, although an idle client takes one. */
const OPEN_FILES = 2 * IDLE_CONNECTIONS + 1000
/** What a proxy has open besides its clients. */
const SPARE_FILES = 1000
const CONNECT_TIMEOUT_MS = 30_000
const SETTLE_MS = 2000

/** Memory in KiB, of all processes of the proxy. */
export interface IdleResult {
  /** Before its first client. */
  readonly atRest: number
  readonly withClients: number
  readonly perClient: number
}

/** Why the clients cannot be there, or null when they can: they need more open files than usual. */
export function idleObstacle(): string | null {
  const needed = IDLE_CLIENTS + SPARE_FILES
  const limit = openFilesLimit()
  return limit < needed ? `needs ${needed} open files; this user may have ${limit}` : null
}

/** To be put before a command that has to hold so many connections. */
export function manyFiles(): readonly string[] {
  return ['prlimit', `--nofile=${openFilesLimit()}`]
}

/** What all would like to have, where that is allowed, or the hard limit of this process. */
function openFilesLimit(): number {
  const wanted = spawnSync('prlimit', [`--nofile=${OPEN_FILES}`, 'true'], { stdio: 'ignore' })
  if (wanted.status === 0) return OPEN_FILES
  const limits = readFileSync('/proc/self/limits', 'utf8')
  return Number(/^Max open files +\d+ +(\d+)/m.exec(limits)?.[1] ?? 0)
}

/** Measures a proxy that has just been started, and had no other client. */
export async function measureIdle(
  fleet: Fleet,
  cores: string,
  proxy: Program,
  port: number
): Promise<IdleResult> {
  await sleep(SETTLE_MS)
  const atRest = memoryKib(proxy.pid)
  const clients = fleet.converse([
    ...['taskset', '-c', cores, ...manyFiles(), process.execPath, PROGRAM],
    ...[String(port), String(IDLE_CLIENTS), SMALL]
  ])
  const { stdin, stdout } = clients
  if (!stdin || !stdout) throw new Error('idle clients cannot be spoken to')
  const timer = setTimeout(() => clients.kill('SIGKILL'), CONNECT_TIMEOUT_MS)
  try {
    const lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
    await lines.next()
    await sleep(SETTLE_MS)
    const withClients = memoryKib(proxy.pid)
    stdin.write('how many?\n')
    const answer = await lines.next()
    if (answer.value !== `open ${IDLE_CLIENTS}`) {
      throw new Error(`${IDLE_CLIENTS} idle clients wanted; found ${answer.value ?? 'none'}`)
    }
    return { atRest, withClients, perClient: (withClients - atRest) / IDLE_CLIENTS }
  } finally {
    clearTimeout(timer)
    stdin.end()
  }
}

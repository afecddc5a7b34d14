import { once } from 'node:events'
import { get } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Program } from './fleet.js'

export const LOOPBACK = '127.0.0.1'

const READY_TIMEOUT_MS = 15_000
const READY_POLL_MS = 50

/** A port of the loopback interface that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, LOOPBACK)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/**
 * Waits until a program answers a request with 200.
 * @throws {Error} with what it said when it ends instead, or takes too long
 */
export async function answering(program: Program, port: number, path: string): Promise<void> {
  const ended = program.exited.then((how) => {
    throw new Error(`${program.name} did not start: ${how}\n${program.output()}`)
  })
  const asked = askUntilAnswered(program, port, path)
  await Promise.race([asked, ended])
}

/** Waits until a program has said something. @throws {Error} when it does not in time */
export async function saying(program: Program, word: string): Promise<void> {
  const giveUpAt = Date.now() + READY_TIMEOUT_MS
  while (!program.output().includes(word)) {
    if (Date.now() > giveUpAt) throw new Error(`${program.name} does not say: ${word}`)
    await sleep(READY_POLL_MS)
  }
}

async function askUntilAnswered(program: Program, port: number, path: string): Promise<void> {
  const giveUpAt = Date.now() + READY_TIMEOUT_MS
  while ((await statusOf(port, path)) !== 200) {
    if (Date.now() > giveUpAt) {
      throw new Error(`${program.name} does not answer on port ${port}\n${program.output()}`)
    }
    await sleep(READY_POLL_MS)
  }
}

/** The status of a request on a connection of its own, or null when there is no answer. */
function statusOf(port: number, path: string): Promise<number | null> {
  return new Promise((resolve) => {
    const request = get({ host: LOOPBACK, port, path, agent: false, timeout: 1000 }, (response) => {
      response.resume()
      resolve(response.statusCode ?? null)
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => {
      resolve(null)
    })
  })
}

import { chmodSync, chownSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs'
import { once } from 'node:events'
import { createConnection, type Server } from 'node:net'
import { dirname } from 'node:path'
import { errnoOf, messageOf } from '../errors.js'

const SOCKET_MODE = 0o660
/** What the mode leaves out, so that there is no moment in which others could connect. */
const SOCKET_UMASK = 0o117
const DIRECTORY_MODE = 0o755
const BACKLOG = 4096
const ASK_TIMEOUT_MS = 1000

/**
 * Listens on a unix socket that its owner and its group may use.
 *
 * @param gid null keeps the group of this process
 * @throws an Error that says why not; somebody else may listen there
 */
export async function listenOnSocket(
  server: Server,
  path: string,
  gid: number | null
): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: DIRECTORY_MODE })
  await removeStale(path)
  const before = process.umask(SOCKET_UMASK)
  try {
    // The socket file is made in this call, not later.
    server.listen({ path, backlog: BACKLOG })
  } finally {
    process.umask(before)
  }
  await once(server, 'listening')
  chmodSync(path, SOCKET_MODE)
  if (gid !== null) chownSync(path, -1, gid)
}

/** @throws an Error that says why not */
export async function listenOnPort(server: Server, host: string, port: number): Promise<void> {
  server.listen({ host, port, backlog: BACKLOG })
  await once(server, 'listening')
}

/** Removes the socket of a process that was killed, and nothing else. */
async function removeStale(path: string): Promise<void> {
  try {
    if (!lstatSync(path).isSocket()) throw new Error('there is a file of that name')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return
    throw error
  }
  if (await isInUse(path)) throw new Error('somebody listens there already; is it another tsha?')
  unlinkSync(path)
}

async function isInUse(path: string): Promise<boolean> {
  const socket = createConnection(path)
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) })
    return true
  } catch (error) {
    if (errnoOf(error) === 'ECONNREFUSED') return false
    // A full queue, or no answer: somebody is there.
    if (errnoOf(error) === 'EAGAIN' || errnoOf(error) === 'ABORT_ERR') return true
    throw new Error(`the socket that is there cannot be asked: ${messageOf(error)}`, {
      cause: error
    })
  } finally {
    socket.destroy()
  }
}

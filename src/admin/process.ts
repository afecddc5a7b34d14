import type { FastifyInstance } from 'fastify'
import { readFileSync } from 'node:fs'
import { hostname, setPriority } from 'node:os'
import { messageOf } from '../errors.js'
import type { Context, Entrance } from './context.js'
import { DirectorClient } from './director-client.js'
import { directorLost } from './director-lost.js'
import { EventHistory } from './event-history.js'
import { EventStreams } from './event-streams.js'
import type { AdminListen, AdminToDirector, DirectorToAdmin } from './messages.js'
import { listenOnPort, listenOnSocket } from './places.js'
import { becomeUser } from './privileges.js'
import { checkDirectory, newestRecording, prepareDirectory } from './recording-files.js'
import { RecordingMirror } from './recording-mirror.js'
import { buildServer } from './server.js'
import { readToken } from './token.js'
import { TokenCheck } from './token-check.js'

/**
 * Entry of the admin process, which the director forks and speaks to in messages.ts: it serves HTTP,
 * and lives and dies with its director.
 */

/** Whatever it is asked for, elections and proxy come first. */
const NICE = 5
/** Answers that are on their way when it is told to stop have so long. */
const LAST_ANSWERS_MS = 250

/** A recording that is older is no news at a start. */
const RECENT_MS = 24 * 3_600_000

const history = new EventHistory()
const recording = new RecordingMirror()
const client = new DirectorClient(tell)
const servers: FastifyInstance[] = []
let streams: EventStreams | null = null
let recordings: string | null = null
let isStopping = false

function tell(message: AdminToDirector): void {
  // A director that died is noticed by 'disconnect'; a message to it is lost and nothing else.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined)
}

async function start(message: Extract<DirectorToAdmin, { type: 'start' }>): Promise<void> {
  const { config, user, socketGid, version } = message
  recordings = config.recordings
  streams = new EventStreams(history, client, version)
  const ownNames = ['localhost', 'tsha', hostname(), ...(config.listen?.hostNames ?? [])]
  const names = new Set(ownNames.map((name) => name.toLowerCase().replace(/\.$/, '')))
  const context: Context = { version, client, history, streams, recording, names }
  const where: string[] = []
  const { socket, listen } = config
  if (socket !== null) {
    await open(where, socket, async () => {
      const app = await buildServer(context, { place: 'socket' })
      await listenOnSocket(app.server, socket, socketGid)
      servers.push(app)
    })
  }
  if (listen !== null) {
    await open(where, placeOf(listen), async () => {
      const app = await buildServer(context, entranceOf(listen))
      await listenOnPort(app.server, listen.host, listen.port)
      servers.push(app)
    })
  }
  if (recordings !== null) await prepareDirectory(recordings, user).catch(tellRecordings)
  becomeUser(user)
  tell({ type: 'listening', where })
  if (recordings !== null) await tellLastLife(recordings).catch(tellRecordings)
}

/** Whether this process will be able to write a recording, and whether one of before is there. */
async function tellLastLife(directory: string): Promise<void> {
  await checkDirectory(directory)
  const path = await newestRecording(directory, new Date(Date.now() - RECENT_MS))
  if (path !== null)
    tell({ type: 'warning', message: `a recording of the last life is in ${path}` })
}

function tellRecordings(error: unknown): void {
  tell({ type: 'warning', message: `no recordings can be written: ${messageOf(error)}` })
}

/** Opens one place; a place that is refused is no reason to do without the other. */
async function open(where: string[], place: string, act: () => Promise<void>): Promise<void> {
  try {
    await act()
    where.push(place)
  } catch (error) {
    tell({ type: 'refused', where: place, message: messageOf(error) })
  }
}

function placeOf({ host, port, tls }: AdminListen): string {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return `${tls ? 'https' : 'http'}://${address}`
}

/** The token and the keys are read while this process still may. */
function entranceOf({ tokenFile, tls }: AdminListen): Entrance {
  const warn = (message: string): void => {
    tell({ type: 'warning', message })
  }
  return {
    place: 'tcp',
    token: new TokenCheck(readToken(tokenFile), warn),
    tls: tls ? { certificate: readFileSync(tls.certificate), key: readFileSync(tls.key) } : null
  }
}

function receive(message: DirectorToAdmin): void {
  switch (message.type) {
    case 'start':
      start(message).catch(fail)
      break
    case 'status':
      client.statusCame(message.status)
      break
    case 'result':
      client.resultCame(message.id, message.result)
      break
    case 'events':
      history.push(message.events)
      streams?.eventsCame()
      break
    case 'recording':
      recording.push(message.lines, message.reset)
      break
    case 'stopping':
      isStopping = true
      stop()
      break
  }
}

/** Takes no more requests, and ends when the answers that are on their way have left. */
function stop(): void {
  setTimeout(() => process.exit(0), LAST_ANSWERS_MS)
  streams?.close()
  const closed = servers.map(
    ({ server }) =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeIdleConnections()
      })
  )
  void Promise.all(closed).then(() => process.exit(0))
}

function fail(error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`tsha admin ${process.pid}: ${text}\n`, () => process.exit(1))
}

process.title = 'tsha: admin'
setPriority(NICE)
process.on('message', receive)
// The director alone decides when it goes: a signal to the whole group must not end it, nor make Node
// listen for a debugger, which SIGUSR1 does by default.
process.on('SIGTERM', () => undefined)
process.on('SIGINT', () => undefined)
process.on('SIGHUP', () => undefined)
process.on('SIGUSR1', () => undefined)
process.on('SIGUSR2', () => undefined)
process.on('disconnect', () => {
  if (isStopping) process.exit(0)
  directorLost(recording, recordings).then(() => process.exit(0), fail)
})
process.on('uncaughtException', fail)
tell({ type: 'ready' })

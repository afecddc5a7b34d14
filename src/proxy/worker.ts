import cluster from 'node:cluster'
import { TshaError, messageOf } from '../errors.js'
import { Engine } from './engine.js'
import { dropPrivileges } from './privileges.js'
import { PROTOCOL, type DirectorMessage, type WorkerMessage } from './worker-messages.js'

/**
 * Entry of a proxy worker: a process that the director forks (node:cluster, SCHED_NONE) and speaks to
 * in worker-messages. It lives and dies with its director.
 */

let engine: Engine | null = null

/** @param onSent called when the kernel has taken it, or when it is lost */
function tell(message: WorkerMessage, onSent: () => void = () => undefined): void {
  // A director that died is noticed by 'disconnect'; a message to it is lost and nothing else.
  if (process.connected && process.send) process.send(message, undefined, undefined, onSent)
  else onSent()
}

/** Tells the director why there is no worker, and exits when that has left. */
function fail(error: unknown): void {
  const code =
    error instanceof TshaError &&
    (error.code === 'TSHA_E_LISTEN' || error.code === 'TSHA_E_LOG_FILE')
      ? error.code
      : 'TSHA_E_WORKER'
  const message: WorkerMessage = { type: 'failed', code, message: messageOf(error) }
  if (!process.connected || process.send === undefined) process.exit(1)
  process.send(message, undefined, undefined, () => process.exit(1))
}

async function start(message: Extract<DirectorMessage, { type: 'start' }>): Promise<void> {
  const { config, checkToken, peers, wishes, names } = message
  const started = new Engine({
    config,
    checkToken,
    peers,
    wishes,
    names,
    tellInFlight: (index, count) => {
      tell({ type: 'in-flight', index, count })
    },
    reportPeerEvent: (index, event) => {
      tell({ type: 'peer-event', index, event })
    },
    tellLog: (path, news) => {
      tell({ type: 'log', path: path ?? 'standard error', news })
    },
    tellTurn: (index, currentWeights) => {
      tell({ type: 'turn', index, currentWeights })
    },
    tellTraffic: (report, onTaken) => {
      tell({ type: 'traffic', ...report }, onTaken)
    }
  })
  // What the director tells while we begin to listen must not be lost.
  engine = started
  await started.listen()
  dropPrivileges(config.user, config.group)
  tell({ type: 'listening' })
}

async function stop(graceMs: number): Promise<void> {
  await engine?.shutdown(graceMs)
  await exit()
}

/** Ends this process. A thread that waits for a disk for ever would hold `process.exit` for ever. */
async function exit(): Promise<void> {
  if ((await engine?.settleLogs()) === false) process.kill(process.pid, 'SIGKILL')
  else process.exit(0)
}

function receive(message: DirectorMessage): void {
  switch (message.type) {
    case 'start':
      start(message).catch(fail)
      break
    case 'peer':
      engine?.applyPeerStatus(message.index, message.status)
      break
    case 'wish':
      engine?.applyPeerWish(message.index, message.wish)
      break
    case 'name':
      engine?.applyName(message.name)
      break
    case 'turn':
      engine?.takeTurn(message.index, message.currentWeights)
      break
    case 'reopen-logs':
      engine?.reopenLogs().catch(fail)
      break
    case 'close-kept':
      engine?.closeKept(message.isOn)
      break
    case 'shutdown':
      stop(message.graceMs).catch(fail)
      break
    case 'ping':
      tell({ type: 'pong', id: message.id })
      break
  }
}

process.title = 'tsha: worker'
process.on('message', receive)
// The director alone decides when a worker goes: a signal to the whole group must not cut requests,
// nor make Node listen for a debugger, which SIGUSR1 does by default.
process.on('SIGTERM', () => undefined)
process.on('SIGINT', () => undefined)
process.on('SIGHUP', () => undefined)
process.on('SIGUSR1', () => undefined)
process.on('SIGUSR2', () => undefined)
process.prependListener('disconnect', () => {
  // Else cluster calls `process.exit` by itself.
  if (cluster.worker) cluster.worker.exitedAfterDisconnect = true
  exit().catch(fail)
})
process.on('uncaughtException', (error) => {
  process.stderr.write(`tsha worker ${process.pid}: ${error.stack ?? error.message}\n`, () =>
    process.exit(1)
  )
})
tell({ type: 'ready', protocol: PROTOCOL })

import { ERROR_LOG_LEVELS, type ErrorLogLevel } from './model.js'
import type { ClientFacts, Transaction } from './variables.js'

/** Where finished lines go. */
export interface LineSink {
  /** Takes a line with its end; never blocks and never throws. */
  append(line: string): void
}

/** What an error line tells about the request that it happened to. */
export interface ErrorContext {
  readonly client?: ClientFacts
  readonly transaction?: Transaction
  /** `host:port` of the peer, or the name of the group if no peer was left. */
  readonly upstream?: string
}

/** The error log in nginx's form, so that what reads an nginx log reads this one. */
export class ErrorLog {
  readonly #sink: LineSink
  readonly #wall: () => number
  readonly #pid: number
  readonly #threshold: number

  /** @param level lines less severe than this are dropped */
  constructor(sink: LineSink, level: ErrorLogLevel, wall: () => number, pid: number) {
    this.#sink = sink
    this.#wall = wall
    this.#pid = pid
    this.#threshold = ERROR_LOG_LEVELS.indexOf(level)
  }

  /** Writes one line. Lower case, no final stop, as nginx's own messages. */
  write(level: ErrorLogLevel, message: string, context: ErrorContext = {}): void {
    if (ERROR_LOG_LEVELS.indexOf(level) < this.#threshold) return
    const client = context.client ?? context.transaction?.client
    const serial = client === undefined ? '' : `*${client.connection} `
    this.#sink.append(
      `${timestamp(this.#wall())} [${level}] ${this.#pid}#${this.#pid}: ` +
        `${serial}${oneLine(message)}${describe(client, context)}\n`
    )
  }
}

function describe(client: ClientFacts | undefined, context: ErrorContext): string {
  const { transaction, upstream } = context
  let text = client === undefined ? '' : `, client: ${client.remoteAddress}`
  if (transaction === undefined) return text
  if (transaction.serverName !== '') text += `, server: ${transaction.serverName}`
  text += `, request: "${oneLine(transaction.requestLine)}"`
  const { head } = transaction
  if (upstream !== undefined)
    text += `, upstream: "http://${upstream}${oneLine(head?.target ?? '')}"`
  const host = head?.keys.indexOf('host') ?? -1
  if (host >= 0) text += `, host: "${oneLine(head?.values[host] ?? '')}"`
  return text
}

/** Nothing a client sends may start a line of its own in the log. */
function oneLine(text: string): string {
  return text.replace(/[\x00-\x1f\x7f]/g, '?')
}

function timestamp(epochMs: number): string {
  const date = new Date(epochMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  return (
    `${date.getFullYear()}/${two(date.getMonth() + 1)}/${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  )
}

/** The errors of sockets in the words of Linux, as nginx writes them. */
const ERRNO_TEXT: Readonly<Record<string, string>> = {
  ECONNREFUSED: '111: Connection refused',
  ECONNRESET: '104: Connection reset by peer',
  ETIMEDOUT: '110: Connection timed out',
  EHOSTUNREACH: '113: No route to host',
  ENETUNREACH: '101: Network is unreachable',
  EPIPE: '32: Broken pipe',
  EADDRNOTAVAIL: '99: Cannot assign requested address',
  EMFILE: '24: Too many open files',
  ENFILE: '23: Too many open files in system',
  ENOENT: '2: No such file or directory',
  EIO: '5: Input/output error',
  EACCES: '13: Permission denied',
  EPERM: '1: Operation not permitted',
  ENOTDIR: '20: Not a directory',
  EINVAL: '22: Invalid argument',
  EFBIG: '27: File too large',
  ENOSPC: '28: No space left on device',
  EROFS: '30: Read-only file system',
  ENOBUFS: '105: No buffer space available',
  EDQUOT: '122: Disk quota exceeded'
}

/** What a system error is called, such as `111: Connection refused`. */
export function errnoText(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return ERRNO_TEXT[code] ?? (code === '' ? error.message : code)
}

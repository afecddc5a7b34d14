import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as requestHttp, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import type { AdminConfig, AdminListen } from '../../src/admin/messages.js'
import type { AdminEvent, Command, CommandResult, Status } from '../../src/admin/model.js'
import { AdminLink, type AdminLinkOptions } from '../../src/director/admin/admin-link.js'
import { monotonicNow } from '../../src/linux/clock.js'
import { refusingPort } from '../proxy/support/upstream.js'
import { CERTIFICATE } from './certificate.js'

export const TOKEN = 'correct-horse-battery-staple'
/** Shorter than the limit of a whole test, so that it still ends what it has started. */
const LIMIT_MS = 10_000

interface Test {
  teardown: (undo: () => Promise<void>) => void
}

type LogLine = Readonly<Record<string, unknown>>

/** A status with a name of its own in it. */
export function statusOf(routerId: string): Status {
  return {
    version: '1.2.3',
    role: 'master',
    router_id: routerId,
    pid: 1,
    now: '2026-01-02T03:04:05.678Z',
    started_at: '2026-01-02T03:04:00.000Z',
    uptime_s: 5.678,
    problems: [],
    configuration: {
      files: ['/etc/tsha/tsha.yaml'],
      hash: '0123456789ab',
      loaded_at: '2026-01-02T03:04:00.000Z',
      last_reload: null
    },
    virtual_routers: [],
    sync_groups: [],
    checks: [],
    proxy: null
  }
}

export function eventOf(id: number, text = `event ${id}`): AdminEvent {
  const at = '2026-01-02T03:04:05.678Z'
  return { id, at, level: 'info', kind: 'director', subject: null, text, details: {} }
}

export interface Setup {
  /** Beside the socket. */
  readonly listen?: Partial<AdminListen>
  readonly options?: Partial<AdminLinkOptions>
  readonly directory?: string
}

/** A director of which only what concerns administrators is there, and its admin process. */
export class Office {
  readonly directory: string
  readonly socket: string
  readonly tokenFile: string
  readonly log: LogLine[] = []
  readonly performed: { readonly command: Command; readonly by: string }[] = []
  readonly events: AdminEvent[] = []
  port = 0
  statusesTold = 0
  resets = 0
  result: CommandResult = { ok: true, lines: ['done'] }
  link: AdminLink | null = null

  private constructor(directory: string) {
    this.directory = directory
    this.socket = join(directory, 'run/admin.sock')
    this.tokenFile = join(directory, 'token')
  }

  static prepare(t: Test): Office {
    const office = new Office(mkdtempSync(join(tmpdir(), 'tsha-admin-')))
    writeFileSync(office.tokenFile, `${TOKEN}\n`, { mode: 0o600 })
    t.teardown(async () => {
      await office.link?.stop()
      rmSync(office.directory, { recursive: true, force: true })
    })
    return office
  }

  /** Starts the process; resolves when it listens. */
  static async open(t: Test, setup: Setup = {}): Promise<Office> {
    const office = Office.prepare(t)
    await office.start(setup)
    return office
  }

  async start({ listen, options = {} }: Setup = {}): Promise<void> {
    if (listen) this.port = await refusingPort()
    const config: AdminConfig = {
      socket: this.socket,
      socketGroup: null,
      listen: listen
        ? {
            host: '127.0.0.1',
            port: this.port,
            tokenFile: this.tokenFile,
            tls: null,
            hostNames: [],
            ...listen
          }
        : null,
      recordings: null
    }
    this.link = new AdminLink({
      config,
      user: null,
      socketGid: null,
      version: '1.2.3',
      log: pino({}, { write: (line) => this.log.push(JSON.parse(line) as LogLine) }),
      now: monotonicNow,
      ports: {
        status: () => {
          this.statusesTold++
          return statusOf('director1')
        },
        perform: (command, by) => {
          this.performed.push({ command, by })
          return Promise.resolve(this.result)
        },
        eventsAfter: (id, limit) => this.events.filter((event) => event.id > id).slice(0, limit),
        recordingReset: () => this.resets++
      },
      ...options
    })
    const mark = this.log.length
    this.link.start()
    await this.waitForLine((line) => 'where' in line, mark)
  }

  happen(...events: AdminEvent[]): void {
    this.events.push(...events)
    this.link?.eventsCame()
  }

  /** The messages of the log so far. */
  messages(): unknown[] {
    return this.log.map((line) => line['msg'])
  }

  async waitForLine(is: (line: LogLine) => boolean, mark = 0): Promise<LogLine> {
    let found: LogLine | undefined
    await until(
      () => {
        found = this.log.slice(mark).find(is)
        return found !== undefined
      },
      JSON.stringify(this.log.slice(mark))
    )
    return found ?? {}
  }

  ask(path: string, asking: Asking = {}): Promise<Answer> {
    return ask({ socketPath: this.socket }, path, asking)
  }

  askPort(path: string, asking: Asking = {}): Promise<Answer> {
    return ask({ host: '127.0.0.1', port: this.port }, path, asking)
  }
}

export async function until(
  isReached: () => boolean | Promise<boolean>,
  what = 'it'
): Promise<void> {
  const deadline = Date.now() + LIMIT_MS
  while (!(await isReached())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export interface Asking {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly token?: string
  /** Text as it is, anything else as JSON. */
  readonly body?: unknown
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly json: unknown
}

export interface Where {
  readonly socketPath?: string
  readonly host?: string
  readonly port?: number
  readonly isTls?: boolean
}

/** Sends a request on a connection of its own; resolves with the head of the answer. */
export function begin(
  { isTls = false, ...where }: Where,
  path: string,
  { method, headers = {}, token, body }: Asking
): Promise<IncomingMessage> {
  const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body)
  const options = {
    ...where,
    path,
    method: method ?? (text === null ? 'GET' : 'POST'),
    agent: false,
    ca: CERTIFICATE,
    headers: {
      ...(where.socketPath === undefined ? {} : { Host: 'tsha' }),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(text === null
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
      ...headers
    }
  }
  return new Promise((resolve, reject) => {
    const request = isTls ? requestHttps(options, resolve) : requestHttp(options, resolve)
    request.on('error', reject)
    request.end(text ?? undefined)
  })
}

/** Sends a request and reads the whole answer. */
export async function ask(where: Where, path: string, asking: Asking = {}): Promise<Answer> {
  const response = await begin(where, path, asking)
  let text = ''
  response.setEncoding('utf8')
  for await (const chunk of response) text += String(chunk)
  const isJson = /json/.test(response.headers['content-type'] ?? '')
  const json: unknown =
    isJson && !/ndjson/.test(response.headers['content-type'] ?? '') && text !== ''
      ? JSON.parse(text)
      : null
  return { status: response.statusCode ?? 0, headers: response.headers, text, json }
}

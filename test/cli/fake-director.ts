import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { AdminEvent, Status } from '../../src/admin/model.js'

export const COMMAND = fileURLToPath(new URL('../../bin/tsha.js', import.meta.url))

/** What one request is answered. */
export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** An admin API whose answers a test decides; it notes every request. */
export class FakeDirector {
  readonly folder = mkdtempSync(join(tmpdir(), 'tsha-cli-'))
  readonly socket = join(this.folder, 'admin.sock')
  /** Method, path and body, in order. */
  readonly requests: string[] = []
  readonly #answers: Readonly<Record<string, Answer>>
  #server: Server | null = null

  /** @param answers by `GET /v1/status`; a path without one is answered 404 */
  constructor(answers: Readonly<Record<string, Answer>>) {
    this.#answers = answers
  }

  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      void this.#answer(request, response)
    })
    this.#server = server
    await new Promise<void>((resolve) => server.listen(this.socket, resolve))
  }

  /** Takes the socket away, and cuts who is connected. */
  async close(): Promise<void> {
    const server = this.#server
    this.#server = null
    if (!server) return
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }

  async remove(): Promise<void> {
    await this.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request
    const body = await text(request)
    this.requests.push([method, url, body].join(' ').trim())
    const answer = this.#answers[`${method} ${url.replace(/\?.*/, '')}`]
    if (answer) answer(request, response, body)
    else response.writeHead(404).end()
  }
}

export function json(value: unknown, status = 200): Answer {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }
}

/** A refusal as the admin API gives it. */
export function problem(status: number, code: string, ...details: readonly string[]): Answer {
  const problems = details.map((detail) => ({ detail }))
  return json(
    { type: 'x', title: 'The title', status, detail: details.join('; '), code, problems },
    status
  )
}

/** Never answers. */
export const SILENCE: Answer = () => undefined

/** The stream of `GET /v1/events`, to which a test writes; lists are `[]` unless it says otherwise. */
export class FakeStream {
  readonly #open = new Set<ServerResponse>()
  readonly #waiting: (() => void)[] = []
  events: readonly AdminEvent[] = []
  /** Id of the newest event, as the stream tells it at its beginning. */
  lastId = 0

  readonly answer: Answer = (request, response) => {
    if (!request.headers.accept?.includes('text/event-stream')) {
      json({ events: this.events, first_id: 1, last_id: this.events.length })(request, response, '')
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`retry: 1000\nevent: hello\ndata: {"last_id":${this.lastId}}\n\n`)
    this.#open.add(response)
    response.on('close', () => this.#open.delete(response))
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** When somebody listens. */
  async opened(): Promise<void> {
    if (this.#open.size === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  sendStatus(status: Status): void {
    this.#send(`event: status\ndata: ${JSON.stringify(status)}\n\n`)
  }

  sendEvent(event: AdminEvent): void {
    this.#send(`id: ${event.id}\nevent: log\ndata: ${JSON.stringify(event)}\n\n`)
  }

  #send(text: string): void {
    for (const response of this.#open) response.write(text)
  }
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A `tsha` that runs. */
export class Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  readonly #waiting: { readonly pattern: RegExp; readonly resolve: () => void }[] = []

  constructor(
    program: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    timeoutMs = 20_000
  ) {
    const child = spawn(program, args, {
      env: { ...process.env, TZ: 'UTC', NO_COLOR: '', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: timeoutMs
    })
    this.child = child
    child.stdin.on('error', () => undefined)
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      this.stdout += chunk
      this.#look()
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.stderr += chunk
      this.#look()
    })
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => {
        resolve({ code, stdout: this.stdout, stderr: this.stderr })
        // Whoever waits for what will not come fails with what did come.
        for (const { resolve } of this.#waiting.splice(0)) resolve()
      })
    })
  }

  /** When a pattern has been written, to standard output or standard error; or when it has ended. */
  async said(pattern: RegExp): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#waiting.push({ pattern, resolve })
      this.#look()
      if (this.child.exitCode !== null) resolve()
    })
    return this.stdout + this.stderr
  }

  /** Forgets what was written until now. */
  forget(): void {
    this.stdout = ''
    this.stderr = ''
  }

  #look(): void {
    for (const waiter of [...this.#waiting]) {
      if (!waiter.pattern.test(this.stdout) && !waiter.pattern.test(this.stderr)) continue
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
      waiter.resolve()
    }
  }
}

/** @param timeoutMs after which it is killed, whatever it does */
export function start(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  timeoutMs = 20_000
): Running {
  return new Running(process.execPath, [COMMAND, ...args], env, timeoutMs)
}

/** Runs `tsha` to its end. */
export async function tsha(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return await start(args, env).ended
}

import { request as requestPlain, type IncomingMessage, type RequestOptions } from 'node:http'
import type { AdminEvent, Status } from '../admin/model.js'
import { TshaError } from '../errors.js'
import { readEventStream, type StreamEvent } from './event-source.js'
import { answerError, explain } from './reach-errors.js'
import { readRefusal } from './refusal.js'
import type { Target } from './target.js'
import { printable } from './words.js'

/** Above any answer of a director but a recording, which is never held as a whole. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024

/** Speaks to the admin API of one director. Each request has a connection of its own. */
export class AdminClient {
  readonly target: Target
  readonly #timeoutMs: number

  /** @param timeoutMs for the whole of an answer; of a stream, for its beginning */
  constructor(target: Target, timeoutMs: number) {
    this.target = target
    this.#timeoutMs = timeoutMs
  }

  /** The body of an answer, as it came. */
  async get(path: string): Promise<string> {
    return await this.#exchange({ method: 'GET', path })
  }

  async status(): Promise<Status> {
    return readStatus(await this.get('/v1/status'))
  }

  /** @param query such as `?limit=20` */
  async events(query: string): Promise<readonly AdminEvent[]> {
    const body = parse(await this.get(`/v1/events${query}`))
    const events =
      typeof body === 'object' && body !== null && 'events' in body ? body.events : body
    if (!Array.isArray(events)) throw answerError('expected a list of events')
    return events as readonly AdminEvent[]
  }

  /** Tells the director to do something. @returns what it did, as lines for people */
  async command(
    path: string,
    body?: Readonly<Record<string, unknown>>
  ): Promise<readonly string[]> {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const answer = parse(await this.#exchange({ method: 'POST', path }, text))
    if (typeof answer !== 'object' || answer === null || !('lines' in answer)) {
      throw answerError('expected what was done')
    }
    const { lines } = answer
    return Array.isArray(lines) ? lines.map(String) : []
  }

  /**
   * A stream of server-sent events, until the server or `signal` ends it.
   *
   * @param idleMs how long nothing may come; null for any time
   * @throws {TshaError} `TSHA_E_NO_ANSWER` when it was silent for too long
   */
  async *stream(
    path: string,
    options: {
      readonly signal: AbortSignal
      readonly idleMs: number | null
      readonly lastId?: number
    }
  ): AsyncGenerator<StreamEvent> {
    const headers: Record<string, string> = { accept: 'text/event-stream' }
    if (options.lastId !== undefined) headers['last-event-id'] = String(options.lastId)
    const { signal, idleMs } = options
    const response = await this.open({ method: 'GET', path, headers }, signal)
    const events: StreamEvent[] = []
    const feed = readEventStream(
      (event) => events.push(event),
      (message) => response.destroy(answerError(message))
    )
    if (idleMs !== null) {
      response.setTimeout(idleMs, () => {
        const message = `the director has said nothing for ${idleMs / 1000} s`
        response.destroy(new TshaError('TSHA_E_NO_ANSWER', message))
      })
    }
    response.setEncoding('utf8')
    try {
      for await (const chunk of response as AsyncIterable<string>) {
        feed(chunk)
        yield* events.splice(0)
      }
    } catch (error) {
      if (!signal.aborted) throw await explain(error, this.target)
    } finally {
      response.destroy()
    }
  }

  /** Asks, and waits for the head of a good answer; whoever calls reads its body. */
  async open(
    options: RequestOptions,
    signal?: AbortSignal,
    body?: string
  ): Promise<IncomingMessage> {
    const response = await this.#ask(options, signal, body)
    const { statusCode = 0 } = response
    if (statusCode >= 200 && statusCode < 300) return response
    const text = await this.#read(response)
    throw readRefusal(text) ?? answerError(`status ${statusCode} without a reason`)
  }

  async #exchange(options: RequestOptions, body?: string): Promise<string> {
    return await this.#read(await this.open(options, undefined, body))
  }

  async #ask(
    options: RequestOptions,
    signal?: AbortSignal,
    body?: string
  ): Promise<IncomingMessage> {
    const { target } = this
    const headers: Record<string, string> = { ...(options.headers as Record<string, string>) }
    if (body !== undefined) headers['content-type'] = 'application/json'
    const all: RequestOptions = { ...options, headers, agent: false, ...(signal ? { signal } : {}) }
    let send = requestPlain
    if (target.kind === 'socket') {
      all.socketPath = target.path
    } else {
      all.hostname = target.url.hostname.replace(/^\[|\]$/g, '')
      if (target.url.port !== '') all.port = target.url.port
      if (target.token !== null) headers['authorization'] = `Bearer ${target.token}`
      if (target.url.protocol === 'https:') {
        send = (await import('node:https')).request
        if (target.authorities !== null) Object.assign(all, { ca: target.authorities })
      }
    }
    return await new Promise((resolve, reject) => {
      const sent = send(all, (response) => {
        // Who reads on sees the same failure; before that nobody may be listening.
        response.on('error', () => undefined)
        clearTimeout(timer)
        resolve(response)
      })
      const timer = setTimeout(() => {
        sent.destroy(this.#tooLate())
      }, this.#timeoutMs)
      sent.on('error', (error) => {
        clearTimeout(timer)
        void explain(error, target).then(reject)
      })
      sent.end(body)
    })
  }

  async #read(response: IncomingMessage): Promise<string> {
    const timer = setTimeout(() => response.destroy(this.#tooLate()), this.#timeoutMs)
    try {
      const chunks: Buffer[] = []
      let size = 0
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size > MAX_ANSWER_BYTES) throw answerError('more than 64 MiB')
        chunks.push(chunk)
      }
      return Buffer.concat(chunks).toString('utf8')
    } catch (error) {
      throw await explain(error, this.target)
    } finally {
      clearTimeout(timer)
    }
  }

  #tooLate(): TshaError {
    const message = `no answer within ${this.#timeoutMs / 1000} s; the director may still do what it was asked: tsha events`
    return new TshaError('TSHA_E_NO_ANSWER', message)
  }
}

/** Whether it is over: asked anew each time, as it changes while we wait. */
export function hasEnded(signal: AbortSignal): boolean {
  return signal.aborted
}

/** Texts come from scripts and servers too: none of them reaches a terminal as it is. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text, (_, value: unknown) =>
      typeof value === 'string' ? printable(value) : value
    )
  } catch {
    throw answerError('expected JSON')
  }
}

/** @throws {TshaError} `TSHA_E_ANSWER` */
export function readStatus(text: string): Status {
  const status = parse(text)
  if (typeof status !== 'object' || status === null) throw answerError('expected a status')
  const { virtual_routers, problems, checks, sync_groups } = status as Record<string, unknown>
  if (![virtual_routers, problems, checks, sync_groups].every(Array.isArray)) {
    throw answerError('expected a status with virtual_routers, problems, checks and sync_groups')
  }
  return status as Status
}

/** @throws {TshaError} `TSHA_E_ANSWER` */
export function readEvent(text: string): AdminEvent {
  const event = parse(text)
  if (typeof event !== 'object' || event === null || !('text' in event)) {
    throw answerError('expected an event')
  }
  return event as AdminEvent
}

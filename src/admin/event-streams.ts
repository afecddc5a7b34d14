import type { ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import type { DirectorClient } from './director-client.js'
import { EventHistory, type Level } from './event-history.js'
import { HttpProblem } from './problem.js'

/** Open streams, and those of them that came over TCP, so that the socket always has its share. */
const MAX_STREAMS = 64
const MAX_TCP_STREAMS = 32
const HEARTBEAT_MS = 10_000
const STATUS_MS = 1000
/** Statuses that events ask for are never closer together than this. */
const STATUS_AFTER_EVENT_MS = 100
/** What is kept for a reader that does not read; events beyond it stay in the history. */
const MAX_UNSENT = 64 * 1024
/** A reader that takes nothing for so long is given up. */
const STALLED_MS = 10_000
const BATCH = 100

/** What a reader of the stream asked for. */
export interface StreamRequest {
  readonly place: 'socket' | 'tcp'
  /** The least severe events that it wants. */
  readonly level: Level
  /** Id of the last event that it has; null begins with the next one. */
  readonly after: number | null
  readonly wantsStatus: boolean
}

interface Stream extends StreamRequest {
  readonly response: ServerResponse
  /** Events up to this id were written, or are not wanted. */
  cursor: number
  /** Since when nothing was taken; null while it reads. */
  stalledAt: number | null
}

/** The server-sent event streams: each one reads the history at its own pace. */
export class EventStreams {
  readonly #history: EventHistory
  readonly #client: DirectorClient
  readonly #version: string
  readonly #streams = new Set<Stream>()
  readonly #timers: readonly NodeJS.Timeout[]
  #statusTimer: NodeJS.Timeout | null = null
  #statusAt = -Infinity
  #isSilent = false

  constructor(history: EventHistory, client: DirectorClient, version: string) {
    this.#history = history
    this.#client = client
    this.#version = version
    this.#timers = [
      setInterval(() => {
        this.#beat()
      }, HEARTBEAT_MS),
      setInterval(() => {
        this.#sendStatus()
      }, STATUS_MS),
      setInterval(() => {
        this.#endStalled()
      }, STATUS_MS)
    ]
  }

  /** @throws {HttpProblem} when there are too many */
  makeRoom(place: 'socket' | 'tcp'): void {
    const ofTcp = [...this.#streams].filter((stream) => stream.place === 'tcp').length
    if (this.#streams.size < MAX_STREAMS && (place === 'socket' || ofTcp < MAX_TCP_STREAMS)) return
    const detail = `${MAX_STREAMS} event streams at most, ${MAX_TCP_STREAMS} of them over TCP`
    const headers = { 'Retry-After': '10', Connection: 'close' }
    throw new HttpProblem('TSHA_E_TOO_MANY', detail, { headers })
  }

  /** Answers a request with a stream; the response is ours from here on. */
  open(response: ServerResponse, request: StreamRequest): void {
    const { lastId, firstId } = this.#history
    // A number beyond our last one is of a director that ran before this one.
    const isForeign = request.after !== null && request.after > lastId
    const cursor = isForeign ? 0 : (request.after ?? lastId)
    const stream: Stream = { ...request, response, cursor, stalledAt: null }
    this.#streams.add(stream)
    response.on('close', () => this.#streams.delete(stream))
    response.on('error', () => this.#streams.delete(stream))
    response.on('drain', () => {
      stream.stalledAt = null
      this.#pump(stream)
    })
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
      'X-Content-Type-Options': 'nosniff'
    })
    const hello = {
      version: this.#version,
      first_id: firstId,
      last_id: lastId,
      // Events that it has not seen and that are not kept any more.
      missed: Math.max(0, firstId - 1 - cursor),
      heartbeat_s: HEARTBEAT_MS / 1000
    }
    this.#write(stream, `retry: 1000\n${textOf('hello', hello)}`)
    stream.cursor = Math.max(cursor, firstId - 1)
    this.#pump(stream)
    if (stream.wantsStatus) this.#sendStatusTo([stream])
  }

  /** The history has new events. */
  eventsCame(): void {
    for (const stream of this.#streams) this.#pump(stream)
    this.#client.forgetStatus()
    if (this.#statusTimer) return
    const waitMs = Math.max(0, this.#statusAt + STATUS_AFTER_EVENT_MS - performance.now())
    this.#statusTimer = setTimeout(() => {
      this.#statusTimer = null
      this.#client.forgetStatus()
      this.#sendStatus()
    }, waitMs)
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer)
    if (this.#statusTimer) clearTimeout(this.#statusTimer)
    for (const { response } of this.#streams) response.end()
  }

  /** Writes what a stream has not seen, as far as its reader takes it. */
  #pump(stream: Stream): void {
    const { lastId, firstId } = this.#history
    if (stream.cursor < firstId - 1) {
      // No gap without a word: it comes back, and is told in the hello what it has missed.
      stream.response.destroy()
      return
    }
    while (stream.cursor < lastId && stream.response.writableLength < MAX_UNSENT) {
      const events = this.#history.after(stream.cursor, BATCH, stream.level)
      stream.cursor = events.length < BATCH ? lastId : (events.at(-1)?.id ?? lastId)
      if (events.length === 0) return
      const texts = events.map((event) => `id: ${event.id}\n${textOf('log', event)}`)
      this.#write(stream, texts.join(''))
    }
  }

  #sendStatus(): void {
    this.#sendStatusTo([...this.#streams].filter(({ wantsStatus }) => wantsStatus))
  }

  #sendStatusTo(streams: readonly Stream[]): void {
    if (streams.length === 0) return
    this.#statusAt = performance.now()
    this.#client.status().then(
      ({ json }) => {
        this.#isSilent = false
        for (const stream of streams) this.#offer(stream, `event: status\ndata: ${json}\n\n`)
      },
      (error: unknown) => {
        if (this.#isSilent || !(error instanceof HttpProblem)) return
        this.#isSilent = true
        for (const stream of streams) this.#offer(stream, textOf('problem', error.body))
      }
    )
  }

  #beat(): void {
    for (const stream of this.#streams) this.#offer(stream, ': heartbeat\n\n')
  }

  /** Writes what is worth nothing later: a reader that is behind does without. */
  #offer(stream: Stream, text: string): void {
    if (stream.response.writableLength < MAX_UNSENT) this.#write(stream, text)
  }

  #write(stream: Stream, text: string): void {
    if (stream.response.destroyed) return
    if (!stream.response.write(text)) stream.stalledAt ??= performance.now()
  }

  #endStalled(): void {
    const now = performance.now()
    for (const { stalledAt, response } of this.#streams) {
      if (stalledAt !== null && now - stalledAt > STALLED_MS) response.destroy()
    }
  }
}

function textOf(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

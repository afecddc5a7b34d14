/** @import { Action } from './actions.js' */
/** @import { AdminEvent, Status } from '../model.js' */

/** What this page can hold of an answer in case of an error. */
const ANSWER_MS = 10_000
/** A little longer than the admin process waits for the director. */
const ACTION_MS = 95_000
const TOKEN = 'tsha-token'

/** A request that was refused, or not answered. */
export class Refusal extends Error {
  /**
   * @param {string} message
   * @param {{ readonly status: number, readonly lines: readonly string[] }} answer
   */
  constructor(message, { status, lines }) {
    super(message)
    this.status = status
    this.lines = lines
  }

  get needsToken() {
    return this.status === 401
  }
}

/** The token, for as long as this tab lives. */
export const token = {
  get: () => sessionStorage.getItem(TOKEN),
  /** @param {string} value */
  set: (value) => {
    sessionStorage.setItem(TOKEN, value)
  },
  forget: () => {
    sessionStorage.removeItem(TOKEN)
  }
}

/**
 * Sends a request with the token in a header.
 *
 * @param {string} path
 * @param {RequestInit} options
 * @throws {Refusal}
 */
async function request(path, options) {
  const headers = new Headers(options.headers)
  const known = token.get()
  if (known !== null) headers.set('Authorization', `Bearer ${known}`)
  const response = await fetch(path, { ...options, headers, cache: 'no-store' })
  if (!response.ok) throw await refusalOf(response)
  return response
}

/** @param {Response} response */
async function refusalOf(response) {
  const { status } = response
  /** @type {unknown} */
  const body = await response.json().catch(() => null)
  const { title, detail, problems } = /** @type {Record<string, unknown>} */ (body ?? {})
  const message = [title, detail].filter((part) => typeof part === 'string').join(': ')
  const lines = (Array.isArray(problems) ? problems : [])
    .map((problem) => /** @type {{ detail?: unknown } | null} */ (problem)?.detail)
    .filter((line) => typeof line === 'string')
  return new Refusal(message === '' ? `it answered ${status}` : message, { status, lines })
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<Status>}
 */
export async function readStatus(signal) {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
  const response = await request('/v1/status', { signal: limit })
  return /** @type {Promise<Status>} */ (response.json())
}

/**
 * The newest events, oldest first.
 *
 * @param {AbortSignal} signal
 * @returns {Promise<{ readonly events: readonly AdminEvent[], readonly last_id: number }>}
 */
export async function readHistory(signal) {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
  const response = await request('/v1/events?limit=500', { signal: limit })
  return /** @type {Promise<{ events: AdminEvent[], last_id: number }>} */ (response.json())
}

/**
 * Opens the stream of events and statuses.
 *
 * @param {number} after the last event that is known
 * @param {AbortSignal} signal
 * @returns {Promise<ReadableStream<Uint8Array>>}
 */
export async function openStream(after, signal) {
  const headers = { Accept: 'text/event-stream', 'Last-Event-ID': String(after) }
  const response = await request('/v1/events?status=1', { headers, signal })
  if (response.body === null) throw new Refusal('the stream is empty', { status: 200, lines: [] })
  return response.body
}

/**
 * Has the director do something.
 *
 * @param {Pick<Action, 'path' | 'body'>} action
 * @returns {Promise<readonly string[]>} what was done
 * @throws {Refusal}
 */
export async function perform({ path, body }) {
  const content = body === null ? {} : { 'Content-Type': 'application/json' }
  const response = await request(path, {
    method: 'POST',
    headers: content,
    body: body === null ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(ACTION_MS)
  })
  const { lines } = /** @type {{ lines: string[] }} */ (await response.json())
  return lines
}

import { TOKEN, trimmedSlice } from './syntax.js'

/** What a server says about how long it keeps an idle connection open. */
export interface KeepAliveOffer {
  /** How long it waits for the next request; null if it does not say. */
  readonly timeoutMs: number | null
  /** Requests that it takes after this one; null if it does not say. */
  readonly max: number | null
}

const NOTHING: KeepAliveOffer = { timeoutMs: null, max: null }
/** Longer field values are nobody's honest offer. */
const MAX_LENGTH = 256
const NUMBER = /^[0-9]{1,9}$/

/**
 * Reads the value of a Keep-Alive field (RFC 2068 §19.7.1.1), such as `timeout=5, max=100`. A field
 * with an element that is no `name=value`, or with a number that is none, says nothing at all; names
 * that we do not know are passed over. Of two values for one name the smaller one holds.
 */
export function parseKeepAlive(value: string): KeepAliveOffer {
  if (value.length > MAX_LENGTH) return NOTHING
  let timeoutMs: number | null = null
  let max: number | null = null
  for (let from = 0; from <= value.length;) {
    const comma = value.indexOf(',', from)
    const to = comma < 0 ? value.length : comma
    const equals = value.indexOf('=', from)
    if (equals < 0 || equals > to) return NOTHING
    const name = trimmedSlice(value, from, equals).toLowerCase()
    const text = trimmedSlice(value, equals + 1, to)
    if (name === 'timeout' || name === 'max') {
      if (!NUMBER.test(text)) return NOTHING
      if (name === 'timeout') timeoutMs = Math.min(timeoutMs ?? Infinity, Number(text) * 1000)
      else max = Math.min(max ?? Infinity, Number(text))
    } else if (!TOKEN.test(name) || !TOKEN.test(text)) {
      return NOTHING
    }
    from = to + 1
  }
  return { timeoutMs, max }
}

/**
 * How long we may use a connection that its server closes after `timeoutMs` of silence: a second
 * less, so that no request is on its way while it closes; of less than two seconds the half.
 */
export function safeIdleMs(timeoutMs: number): number {
  return timeoutMs - Math.min(1000, timeoutMs / 2)
}

/** Serialising of HTTP/1.1 messages as latin1 text. */

/** Reason phrases of the statuses that tsha answers by itself (RFC 9110 §15). */
const PHRASES: Readonly<Record<number, string>> = {
  204: 'No Content',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported'
}

/** The reason phrase of a status, '' for one that tsha never answers by itself. */
export function phraseOf(status: number): string {
  return PHRASES[status] ?? ''
}

/** The interim response that asks a client for its body (RFC 9110 §10.1.1). */
export const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

/** The end of a chunked body without trailers (RFC 9112 §7.1). */
export const LAST_CHUNK = '0\r\n\r\n'

/** The size line before a chunk of 1 or more bytes; CRLF follows the chunk. */
export function chunkSizeLine(size: number): string {
  return `${size.toString(16)}\r\n`
}

/** Body of an answer that is tsha's own: the status in words and nothing about who says it. */
export function errorPage(status: number): string {
  const title = `${status} ${phraseOf(status)}`
  return `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** An IMF-fixdate (RFC 9110 §5.6.7) such as `Sun, 22 Nov 2026 12:35:14 GMT`. */
export function httpDate(epochMs: number): string {
  const date = new Date(epochMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = DAYS[date.getUTCDay()] ?? ''
  const month = MONTHS[date.getUTCMonth()] ?? ''
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
  return `${day}, ${two(date.getUTCDate())} ${month} ${date.getUTCFullYear()} ${time} GMT`
}

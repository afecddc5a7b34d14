/** The characters of HTTP/1.1, as patterns over latin1 text: one character is one byte. */

/** A token (RFC 9110 §5.6.2): methods, field names, transfer codings. */
export const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

const NAME = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const QUOTED =
  '"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"'
const EXTENSION = `${NAME}(?:=(?:${NAME}|${QUOTED}))?`

/**
 * The extensions of a chunk behind their first semicolon (RFC 9112 §7.1.1), without the "bad" white
 * space: where names or quotes are broken, readers disagree on where the line ends.
 */
export const CHUNK_EXTENSIONS = new RegExp(`^${EXTENSION}(?:;${EXTENSION})*$`)

/**
 * What no head may contain: control characters other than HTAB, CR without LF, and LF without CR
 * (RFC 9112 §2.2, RFC 9110 §5.5). `lastIndex` is meant to be set before each use.
 */
// Control characters are what this pattern is about.

export const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/g

/** The same where LF alone may end a line. */
const FORBIDDEN_BESIDE_LF = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)/g

/** Whether head text holds a forbidden character at or after `from`. */
export function hasForbidden(text: string, from: number, acceptBareLf = false): boolean {
  const pattern = acceptBareLf ? FORBIDDEN_BESIDE_LF : FORBIDDEN
  pattern.lastIndex = from
  return pattern.test(text)
}

/** A field name that most messages use. */
export interface CommonName {
  /** As it is spelled. */
  readonly name: string
  /** In lower case. */
  readonly key: string
}

const COMMON_NAMES = [
  'Accept Accept-Charset Accept-Encoding Accept-Language Accept-Ranges Age Allow Authorization',
  'Cache-Control Connection Content-Disposition Content-Encoding Content-Language Content-Length',
  'Content-Location Content-Range Content-Type Cookie DNT Date ETag Expect Expires Forwarded From',
  'Host If-Match If-Modified-Since If-None-Match If-Range If-Unmodified-Since Keep-Alive',
  'Last-Modified Link Location Max-Forwards Origin Pragma Priority Proxy-Authenticate',
  'Proxy-Authorization Proxy-Connection Range Referer Refresh Retry-After Sec-Fetch-Dest',
  'Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User Server Set-Cookie Strict-Transport-Security TE',
  'Trailer Transfer-Encoding Upgrade Upgrade-Insecure-Requests User-Agent Vary Via',
  'WWW-Authenticate X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Powered-By X-Real-IP',
  'X-Request-ID X-Requested-With X-Tsha-Check'
]
  .join(' ')
  .split(' ')
  .flatMap((name): CommonName[] => {
    const key = name.toLowerCase()
    const written = { name, key }
    return name === key ? [written] : [written, { name: key, key }]
  })

/** The common names by length and last character, which few of them share. */
const COMMON_BY_END: readonly (readonly CommonName[])[] = groupByEnd(COMMON_NAMES)

function groupByEnd(names: readonly CommonName[]): CommonName[][] {
  const groups: CommonName[][] = Array.from({ length: 32 * 128 }, () => [])
  for (const each of names) {
    groups[endOf(each.name.length, each.name.charCodeAt(each.name.length - 1))]?.push(each)
  }
  return groups
}

function endOf(length: number, lastCode: number): number {
  return (length & 31) * 128 + (lastCode & 127)
}

/**
 * The common name that stands between two indices, if one does: then it needs neither a check nor a
 * conversion, nor a copy that would keep its whole head alive.
 */
export function commonNameAt(text: string, from: number, to: number): CommonName | null {
  const candidates = COMMON_BY_END[endOf(to - from, text.charCodeAt(to - 1))]
  if (candidates === undefined) return null
  for (const candidate of candidates) {
    if (candidate.name.length === to - from && text.startsWith(candidate.name, from)) {
      return candidate
    }
  }
  return null
}

/**
 * Whether a field name is of letters, digits and `-` alone. Applications map every other character
 * and `-` to one variable, so that `X_Real_IP` or `X.Real.IP` would pass for `X-Real-IP`.
 * @param key lower case
 */
export function isPlainKey(key: string): boolean {
  return PLAIN_KEY.test(key)
}

const PLAIN_KEY = /^[a-z0-9-]+$/

/** Characters by their code, 1 for those that belong to the class. */
export type CharacterClass = Uint8Array

/** `tchar` (RFC 9110 §5.6.2). */
export const IS_TOKEN = characterClass(/[!#$%&'*+\-.^_`|~0-9A-Za-z]/)
export const IS_DIGIT = characterClass(/[0-9]/)
/** What may stand in a field line behind its colon: visible characters, obs-text, space and tab. */
export const IS_FIELD_TEXT = characterClass(/[\t\x20-\x7e\x80-\xff]/)

/**
 * What a request target may be of: visible characters and, as in nginx, bytes above 0x7f; no `#`: a
 * fragment never travels (RFC 9112 §3.2).
 */
export const IS_TARGET = characterClass(/[\x21\x22\x24-\x7e\x80-\xff]/)
/** A host name or IPv4 address as wire text, percent-encoding left out (`reg-name`, RFC 3986 §3.2.2). */
const IS_REG_NAME = characterClass(/[A-Za-z0-9._~!$&'()*+,;=-]/)

function characterClass(pattern: RegExp): CharacterClass {
  return Uint8Array.from({ length: 256 }, (_, code) =>
    pattern.test(String.fromCharCode(code)) ? 1 : 0
  )
}

/** Index of the first character from `from` that is not in the class. */
export function skipWhile(wanted: CharacterClass, text: string, from: number): number {
  let at = from
  // The end is looked for: a code that is no number would cost many times as much.
  while (at < text.length && wanted[text.charCodeAt(at)] === 1) at++
  return at
}

const SPACE = 0x20
const TAB = 0x09

/** The text between two indices without the spaces and tabs around it (OWS, RFC 9110 §5.6.3). */
export function trimmedSlice(text: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB
}

/** The elements of a comma-separated list in lower case (RFC 9110 §5.6.1); empty ones are ''. */
export function listElements(value: string): string[] {
  return value.split(',').map((part) => trimmedSlice(part, 0, part.length).toLowerCase())
}

// Wire form of an IPv6 address as `uri-host [ ":" port ]` (RFC 9112 §3.2).
const IPV6_AUTHORITY = /^(\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?$/
const PORT = /^:[0-9]{1,5}$/

const GROUP = /^[0-9A-Fa-f]{1,4}$/
const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`)

/** The text form of an IPv6 address (RFC 3986 §3.2.2), which the brackets of a host promise. */
function isIpv6(text: string): boolean {
  const halves = text.split('::')
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  const last = groups.at(-1) ?? ''
  const hasIpv4 = IPV4.test(last) && text.endsWith(last)
  if (hasIpv4) groups.pop()
  if (!groups.every((group) => GROUP.test(group))) return false
  const count = groups.length + (hasIpv4 ? 2 : 0)
  return halves.length === 1 ? count === 8 : halves.length === 2 && count <= 7
}

/**
 * Host of an authority in lower case, without its port and the final dot of a full domain name; null
 * if it is not valid. Percent-encoding is left out: no host that reaches a proxy needs it.
 */
export function hostOf(authority: string): string | null {
  if (authority.startsWith('[')) return ipv6HostOf(authority)
  const end = skipWhile(IS_REG_NAME, authority, 0)
  if (end < authority.length && !isPort(authority.slice(end))) return null
  const name = end < authority.length ? authority.slice(0, end) : authority
  if (name.includes('..')) return null
  const host = (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase()
  return host === '' ? null : host
}

function ipv6HostOf(authority: string): string | null {
  const match = IPV6_AUTHORITY.exec(authority)
  if (match === null) return null
  const [, host = '', port] = match
  if (!isIpv6(host.slice(1, -1)) || (port !== undefined && !isPort(`:${port}`))) return null
  return host.toLowerCase()
}

/**
 * Port 0 names no port that anybody can listen on.
 * @param text with its colon
 */
function isPort(text: string): boolean {
  const port = PORT.test(text) ? Number(text.slice(1)) : 0
  return port > 0 && port <= 65535
}

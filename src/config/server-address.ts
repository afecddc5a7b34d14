import { parseEndpoint, type Endpoint } from './units.js'

/** What a text that should name an upstream server comes to. */
export type ServerAddress =
  | { readonly ok: true; readonly endpoint: Endpoint }
  /** The rest of a sentence that begins with what was found. */
  | { readonly ok: false; readonly problem: string }

const DEFAULT_PORT = 80
const EXAMPLES = 'such as 192.0.2.1:80, [2001:db8::1]:80 or web1.example.org:8080'

/**
 * Reads an IP address or a host name with an optional port. A name is only looked at, never resolved:
 * its labels have 1 to 63 letters, digits and hyphens, and no hyphen at an end (RFC 1123 section 2.1).
 * The last label is not all digits, so that a mistyped IPv4 address is never taken for a name.
 */
export function readServerAddress(text: string): ServerAddress {
  const endpoint = parseEndpoint(text, DEFAULT_PORT)
  if (endpoint) return { ok: true, endpoint }
  const [, host = '', portText] = /^([^:]*)(?::(\d+))?$/.exec(text) ?? []
  const port = portText === undefined ? DEFAULT_PORT : Number(portText)
  if (host === '') return refuse(problemOfText(text))
  if (port < 1 || port > 65_535) return refuse('has a port out of range; use 1 to 65535')
  const problem = problemOfName(host)
  if (problem !== null) return refuse(problem)
  return { ok: true, endpoint: { host: host.toLowerCase(), port } }
}

function refuse(problem: string): ServerAddress {
  return { ok: false, problem }
}

function problemOfText(text: string): string {
  if (/^[a-z]+:\/\//i.test(text)) return 'is a URL; use only its host and port'
  if (/^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text)) {
    return 'is not valid; use an IPv6 address in brackets, such as [2001:db8::1]:80'
  }
  return `is not valid; use an IP address or a host name with an optional port, ${EXAMPLES}`
}

const MAX_NAME = 253
const MAX_LABEL = 63

function problemOfName(host: string): string | null {
  // One dot at the end says that no search domain may be added.
  const labels = host.replace(/\.$/, '').split('.')
  const character = /[^A-Za-z0-9.-]/.exec(host)?.[0]
  if (character !== undefined) {
    return `is no host name because of "${character}"; use letters, digits, hyphens and dots`
  }
  if (/^\d+$/.test(labels.at(-1) ?? '')) return `is not an IP address; use one ${EXAMPLES}`
  if (host.length > MAX_NAME)
    return `is longer than ${MAX_NAME} characters; use a shorter host name`
  for (const label of labels) {
    if (label === '')
      return 'has two dots in a row or one in front; use a name such as web1.example.org'
    if (label.length > MAX_LABEL)
      return `has a part longer than ${MAX_LABEL} characters; use a shorter one`
    if (label.startsWith('-') || label.endsWith('-')) {
      return `has a hyphen at an end of "${label}"; use letters or digits there`
    }
  }
  return null
}

import type { Fields } from './http1/fields.js'
import type { RequestHead, ResponseHead } from './http1/head.js'
import { trimmedSlice } from './http1/syntax.js'

/**
 * The change to another protocol (RFC 9110 §7.8): which requests may ask for it, and which answers
 * grant it.
 */

/**
 * Names of protocols that carry HTTP again. Requests inside of such a tunnel would reach the server
 * past the routes, the header rules and the access log, so they are never asked for.
 */
const HTTP_AGAIN: readonly string[] = ['h2', 'h2c', 'http', 'tls']

const PROTOCOL = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?$/

/**
 * The protocols that a request may ask the server for, as the value of an Upgrade field; null if it
 * is an ordinary request: not GET, not HTTP/1.1, with a body, or with nothing that may be asked for.
 */
export function askedProtocols(head: RequestHead): string | null {
  if (head.nominated?.includes('upgrade') !== true) return null
  if (head.method !== 'GET' || head.minorVersion !== 1) return null
  // What follows this head must be the tunnel and nothing else, whoever reads it.
  if (head.framing === 'chunked' || head.contentLength > 0) return null
  const asked = protocolsOf(head)?.filter((protocol) => !HTTP_AGAIN.includes(nameOf(protocol)))
  return asked === undefined || asked.length === 0 ? null : asked.join(', ')
}

/**
 * The protocol that a 101 changes to, as the value of an Upgrade field; null if the response names
 * none, or one that was not asked for.
 * @param asked what `askedProtocols` gave
 */
export function grantedProtocol(head: ResponseHead, asked: string): string | null {
  const granted = protocolsOf(head)
  if (granted === null || granted.length === 0) return null
  const known = asked.toLowerCase().split(', ')
  return granted.every((protocol) => known.includes(protocol.toLowerCase()))
    ? granted.join(', ')
    : null
}

/** The elements of all Upgrade lines in their spelling; null if one of them is no protocol. */
function protocolsOf({ keys, values }: Fields): string[] | null {
  const protocols: string[] = []
  for (const [i, key] of keys.entries()) {
    if (key !== 'upgrade') continue
    for (const part of (values[i] ?? '').split(',')) {
      const protocol = trimmedSlice(part, 0, part.length)
      if (protocol === '') continue
      if (!PROTOCOL.test(protocol)) return null
      protocols.push(protocol)
    }
  }
  return protocols
}

function nameOf(protocol: string): string {
  return (protocol.split('/', 1)[0] ?? '').toLowerCase()
}

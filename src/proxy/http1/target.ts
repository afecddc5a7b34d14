import { IS_TARGET, hostOf, skipWhile } from './syntax.js'

/** What the target of a request line says; host and authority are null unless it is an absolute-form. */
export interface Target {
  /** What goes upstream. */
  readonly origin: string
  /** Lower case, without port. */
  readonly host: string | null
  /** As sent. */
  readonly authority: string | null
}

/** Reads the four forms of RFC 9112 §3.2; null is invalid. */
export function parseTarget(method: string, raw: string): Target | null {
  if (raw === '' || skipWhile(IS_TARGET, raw, 0) < raw.length) return null
  if (raw.startsWith('/')) return { origin: raw, host: null, authority: null }
  if (raw === '*' && method !== 'OPTIONS') return null
  // The authority-form; CONNECT is answered with 405 whatever it names.
  if (raw === '*' || method === 'CONNECT') return { origin: raw, host: null, authority: null }
  const match = ABSOLUTE.exec(raw)
  if (match === null) return null
  const [, authority = '', rest = ''] = match
  const host = hostOf(authority)
  if (host === null) return null
  // RFC 9112 §3.2.4: without a path OPTIONS is about the server itself.
  if (rest === '' && method === 'OPTIONS') return { origin: '*', host, authority }
  return { origin: rest.startsWith('/') ? rest : `/${rest}`, host, authority }
}

const ABSOLUTE = /^https?:\/\/([^/?]*)([^]*)$/i

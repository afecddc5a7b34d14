import { isIPv4, isIPv6 } from 'node:net'

export { formatDuration } from './duration.js'

const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000
}

/** Longest duration that any key takes: a Node timer overflows past 2^31 - 1 ms. */
export const MAX_DURATION_MS = 2_147_483_647

/**
 * Reads a duration with units, such as `250ms`, `1.5s` or `1m30s`.
 * @returns whole milliseconds, or undefined when it is not a duration or longer than a timer can be
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined
  let total = 0
  for (const [, count = '', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(count) * (MILLISECONDS[unit] ?? NaN)
  }
  const rounded = Math.round(total)
  return Math.abs(total - rounded) < 1e-6 && rounded <= MAX_DURATION_MS ? rounded : undefined
}

const BYTES: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/** Reads a size such as `512`, `8k`, `1m` or `2g`, as nginx does. @returns bytes, or undefined */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+)([kmg]?)$/i.exec(text)
  if (!match) return undefined
  const bytes = Number(match[1]) * (BYTES[(match[2] ?? '').toLowerCase()] ?? NaN)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** An IP address, or a host name where one may stand, with a port. */
export interface Endpoint {
  /** IPv4 or IPv6 address without brackets, or a host name in lower case. */
  readonly host: string
  readonly port: number
}

/**
 * Reads `1.2.3.4`, `1.2.3.4:80`, `[::1]` or `[::1]:80`.
 * @returns undefined when it is not an address, or the port is not 1 to 65535
 */
export function parseEndpoint(text: string, defaultPort: number): Endpoint | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text)
  if (!match) return undefined
  const [, ipv6, ipv4, portText] = match
  const port = portText === undefined ? defaultPort : Number(portText)
  if (port < 1 || port > 65_535) return undefined
  if (ipv6 !== undefined) return isIPv6(ipv6) ? { host: ipv6.toLowerCase(), port } : undefined
  return ipv4 !== undefined && isIPv4(ipv4) ? { host: ipv4, port } : undefined
}

/** Reads a listen address: `:80` and `*:80` are any IPv4 address. @returns undefined when it is none */
export function parseListen(text: string): Endpoint | undefined {
  const full = text.startsWith(':') ? `0.0.0.0${text}` : text.replace(/^\*(?=:)/, '0.0.0.0')
  return /(?:^|\]|[^:\]]):\d+$/.test(full) ? parseEndpoint(full, 0) : undefined
}

const STATUS_RANGE = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/

/** Reads `200` or `200-399`; both ends are included. */
export function parseStatusRange(text: string): [first: number, last: number] | undefined {
  const match = STATUS_RANGE.exec(text)
  if (!match) return undefined
  const first = Number(match[1])
  const last = Number(match[2] ?? match[1])
  return first <= last ? [first, last] : undefined
}

import { SocketAddress, isIPv4, isIPv6 } from 'node:net'

export type Family = 'ipv4' | 'ipv6'

/** The family of an address, or undefined when it is none. */
export function familyOf(address: string): Family | undefined {
  if (isIPv4(address)) return 'ipv4'
  return isIPv6(address) && !address.includes('%') ? 'ipv6' : undefined
}

/** Reads an IPv4 or IPv6 address into the one form in which equal ones are equal. */
export function parseAddress(text: string): string | undefined {
  const family = familyOf(text)
  return family && new SocketAddress({ address: text, family }).address
}

/** A virtual address as it is written. */
export interface WrittenAddress {
  readonly address: string
  readonly prefixLength: number
  /** False when the prefix length is keepalived's default: the whole address. */
  readonly hasPrefix: boolean
}

const ADDRESS_BITS: Readonly<Record<Family, number>> = { ipv4: 32, ipv6: 128 }

/**
 * Reads an address such as `192.0.2.1/24` or `2001:db8::1/64`; without a prefix length it is 32 or 128,
 * as keepalived has it.
 * @returns undefined when it is not an address with a prefix that fits
 */
export function parseVirtualAddress(text: string): WrittenAddress | undefined {
  const match = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text)
  const [, written = '', prefix] = match ?? []
  const address = parseAddress(written)
  const family = address === undefined ? undefined : familyOf(address)
  if (address === undefined || family === undefined) return undefined
  const bits = ADDRESS_BITS[family]
  const prefixLength = prefix === undefined ? bits : Number(prefix)
  return prefixLength > bits
    ? undefined
    : { address, prefixLength, hasPrefix: prefix !== undefined }
}

/** True for 224.0.0.0/4 and ff00::/8. */
export function isMulticast(address: string): boolean {
  if (isIPv4(address)) return /^(22[4-9]|23\d)\./.test(address)
  return /^ff[0-9a-f]{2}:/i.test(address)
}

/** True for ff02::/16, the groups that no router forwards. */
export function isLinkLocalMulticast(address: string): boolean {
  return /^ff[0-9a-f]2:/i.test(address)
}

/** True for fe80::/10. */
export function isLinkLocal(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(address)
}

import { readIpv4 } from './ipv4.js'

const LENGTH = 16
const GROUPS = 8

/** Writes an IPv6 address in any of its textual forms (RFC 4291 §2.2) as 16 bytes at `offset`. */
export function writeIpv6(bytes: Uint8Array, offset: number, address: string): void {
  const [head = '', tail] = address.split('::')
  const first = groupsOf(head)
  const last = groupsOf(tail ?? '')
  bytes.fill(0, offset, offset + LENGTH)
  writeGroups(bytes, offset, first)
  writeGroups(bytes, offset + LENGTH - 2 * last.length, last)
}

/** 16 bytes at `offset` in the one form that everybody writes the same way (RFC 5952 §4). */
export function readIpv6(bytes: Uint8Array, offset: number): string {
  const groups = Array.from({ length: GROUPS }, (_, index) => {
    const at = offset + 2 * index
    return (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16)
  })
  const zeros = longestZeros(groups)
  if (zeros.length < 2) return groups.join(':')
  const before = groups.slice(0, zeros.start).join(':')
  return `${before}::${groups.slice(zeros.start + zeros.length).join(':')}`
}

/** An address of either family as `readIpv4` and `readIpv6` write it, so that two can be compared. */
export function canonicalAddress(address: string): string {
  const bytes = new Uint8Array(LENGTH)
  if (address.includes(':')) {
    writeIpv6(bytes, 0, address)
    return readIpv6(bytes, 0)
  }
  bytes.set(address.split('.').map(Number))
  return readIpv4(bytes, 0)
}

/** The groups of a part without `::`; a dotted IPv4 address at its end is two of them. */
function groupsOf(part: string): readonly number[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [(a << 8) | b, (c << 8) | d]
  })
}

function writeGroups(bytes: Uint8Array, offset: number, groups: readonly number[]): void {
  groups.forEach((group, index) => {
    bytes[offset + 2 * index] = group >>> 8
    bytes[offset + 2 * index + 1] = group & 0xff
  })
}

/** The first of the longest runs of zero groups. */
function longestZeros(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  groups.forEach((group, index) => {
    if (group !== '0') start = index + 1
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start }
  })
  return best
}

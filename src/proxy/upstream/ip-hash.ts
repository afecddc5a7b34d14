import { MAX_TRIES, indexAt, totalWeight, type KeyPlace } from './key-place.js'

/**
 * nginx's `ip_hash` (ngx_http_upstream_ip_hash_module.c), number for number, so that a client keeps
 * its server when nginx is replaced: the first three bytes of an IPv4 address or all of an IPv6 one.
 */

/** A request before its first pick. */
export function placeOfAddress(): KeyPlace {
  return { hash: 89, rounds: 0, tries: 0 }
}

/**
 * Picks the peer of an address, or the next one that its hash of the hash leads to.
 * @param bytes of `addressBytes`
 * @returns the index of the peer, or -1 if round robin has to choose
 */
export function pickByAddress<P extends { readonly weight: number }>(
  peers: readonly P[],
  isUsable: (peer: P) => boolean,
  bytes: readonly number[],
  place: KeyPlace
): number {
  const total = totalWeight(peers)
  while (place.tries <= MAX_TRIES) {
    for (const byte of bytes) place.hash = (place.hash * 113 + byte) % 6271
    const index = indexAt(peers, place.hash % total)
    const peer = peers[index]
    if (peer !== undefined && isUsable(peer)) return index
    place.tries++
  }
  return -1
}

/** The bytes of an IP address that are hashed; three zeroes for what is no address. */
export function addressBytes(address: string): readonly number[] {
  if (address.includes(':')) return ipv6Bytes(address)
  const bytes = address.split('.').slice(0, 3).map(Number)
  return bytes.length === 3 && bytes.every((byte) => byte >= 0 && byte <= 255) ? bytes : [0, 0, 0]
}

/** Reads an address as the system writes it (RFC 5952), perhaps with a zone after a %. */
function ipv6Bytes(address: string): readonly number[] {
  const [text = ''] = address.split('%')
  const [before = '', after] = text.split('::')
  const head = groupsOf(before)
  const tail = groupsOf(after ?? '')
  const gap = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => 0)
  const groups = after === undefined ? head : [...head, ...gap, ...tail]
  return groups.flatMap((group) => [group >> 8, group & 0xff])
}

function groupsOf(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}

/**
 * The Internet checksum (RFC 1071): the one's complement of the one's complement sum of 16-bit words.
 * An odd last byte is padded with zero. A message that holds its own correct checksum yields 0.
 *
 * @returns 0 to 65535
 */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) {
    sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

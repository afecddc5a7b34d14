/**
 * The Internet checksum (RFC 1071): the one's complement of the one's complement sum of 16-bit words.
 * An odd last byte is padded with zero. A message that holds its own correct checksum yields 0.
 *
 * @param sum of the words that the checksum covers besides `bytes[from..to)`, such as a pseudo-header
 * @returns 0 to 65535
 */
export function internetChecksum(
  bytes: Uint8Array,
  from = 0,
  to: number = bytes.length,
  sum = 0
): number {
  let total = sum + sumOfWords(bytes, from, to)
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16)
  return ~total & 0xffff
}

/** The sum of 16-bit words, not folded; exact for packets up to 64 KiB. */
export function sumOfWords(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0
  for (let i = from; i < to; i += 2) {
    sum += ((bytes[i] ?? 0) << 8) | (i + 1 < to ? (bytes[i + 1] ?? 0) : 0)
  }
  return sum
}

/** CRC-32 of IEEE 802.3, as zlib and nginx compute it. */

const POLYNOMIAL = 0xedb88320

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
  return value
})

/**
 * The checksum of latin1 text.
 * @param seed the checksum of what comes before it
 */
export function crc32(text: string, seed = 0): number {
  let value = ~seed
  for (let i = 0; i < text.length; i++) {
    value = (TABLE[(value ^ text.charCodeAt(i)) & 0xff] ?? 0) ^ (value >>> 8)
  }
  return ~value >>> 0
}

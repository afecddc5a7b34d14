import { readAddresses, writeAddresses, type Family } from './address.js'
import type { DecodeDiscard } from './advertisement-v2.js'
import { FIXED_LENGTH, messageLength, TYPE_ADVERTISEMENT } from './message.js'

const VERSION = 3

/** The fields of a VRRPv3 ADVERTISEMENT. */
export interface AdvertisementV3 {
  readonly vrid: number
  /** 0 says that the sender stops being master. */
  readonly priority: number
  /** Max Advertise Interval, 12 bits. */
  readonly adverIntCentiseconds: number
  /** Of one family, in the sender's order. */
  readonly addresses: readonly string[]
}

/**
 * Encodes a VRRPv3 ADVERTISEMENT (RFC 5798 §5.1):
 *
 *   0  version=3 | type=1    1  VRID        2  priority     3  count of addresses
 *   4  4 bits reserved, 12 bits advertisement interval, cs  6  checksum
 *   8  count × 4 or 16 bytes of addresses
 *
 * The checksum is left zero: it may cover the addresses of the IP header, which is not there yet.
 */
export function encodeAdvertisementV3(advertisement: AdvertisementV3, family: Family): Uint8Array {
  const { addresses, adverIntCentiseconds } = advertisement
  const message = new Uint8Array(messageLength(VERSION, family, addresses.length))
  message[0] = (VERSION << 4) | TYPE_ADVERTISEMENT
  message[1] = advertisement.vrid
  message[2] = advertisement.priority
  message[3] = addresses.length
  message[4] = (adverIntCentiseconds >>> 8) & 0x0f
  message[5] = adverIntCentiseconds & 0xff
  writeAddresses(message, FIXED_LENGTH, addresses, family)
  return message
}

/** The 12 bits of the interval of the message at `at`; the reserved ones are ignored (RFC 5798 §5.2.6). */
export function readIntervalV3(bytes: Uint8Array, at: number): number {
  return (((bytes[at + 4] ?? 0) & 0x0f) << 8) | (bytes[at + 5] ?? 0)
}

/**
 * Decodes the structure of a VRRPv3 ADVERTISEMENT, as `decodeAdvertisementV2` does.
 *
 * @returns the advertisement, or the reason why the bytes are none
 */
export function decodeAdvertisementV3(
  bytes: Uint8Array,
  family: Family
): AdvertisementV3 | DecodeDiscard {
  if (bytes.length < FIXED_LENGTH) return 'length'
  const first = bytes[0] ?? 0
  if (first >>> 4 !== VERSION) return 'version'
  if ((first & 0x0f) !== TYPE_ADVERTISEMENT) return 'type'
  const count = bytes[3] ?? 0
  if (bytes.length !== messageLength(VERSION, family, count)) return 'length'
  return {
    vrid: bytes[1] ?? 0,
    priority: bytes[2] ?? 0,
    adverIntCentiseconds: readIntervalV3(bytes, 0),
    addresses: readAddresses(bytes, FIXED_LENGTH, count, family)
  }
}

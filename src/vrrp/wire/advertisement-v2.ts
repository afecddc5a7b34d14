import { readAddresses, writeAddresses } from './address.js'
import { internetChecksum } from './checksum.js'
import {
  AUTH_DATA_LENGTH,
  CHECKSUM_OFFSET,
  FIXED_LENGTH,
  messageLength,
  TYPE_ADVERTISEMENT
} from './message.js'

/** Authentication types of VRRPv2 (RFC 2338 §5.3.6; RFC 3768 keeps only the first). */
export const AUTH_NONE = 0
export const AUTH_PASS = 1
export const AUTH_AH = 2

const VERSION = 2

/** The fields of a VRRPv2 ADVERTISEMENT. */
export interface AdvertisementV2 {
  readonly vrid: number
  /** 0 says that the sender stops being master. */
  readonly priority: number
  readonly authType: number
  readonly adverIntSeconds: number
  /** Dotted decimal, in the sender's order. */
  readonly addresses: readonly string[]
  /** 8 bytes. */
  readonly authData: Uint8Array
}

/** Why bytes are not an ADVERTISEMENT of a version. */
export type DecodeDiscard = 'length' | 'version' | 'type'

/** The password as 8 bytes: cut or padded with zeros, as keepalived sends it. */
export function encodePassword(password: string): Uint8Array {
  const data = new Uint8Array(AUTH_DATA_LENGTH)
  data.set(new TextEncoder().encode(password).subarray(0, AUTH_DATA_LENGTH))
  return data
}

/**
 * Encodes a VRRPv2 ADVERTISEMENT (RFC 3768 §5.1, with RFC 2338's authentication data):
 *
 *   0  version=2 | type=1    1  VRID        2  priority     3  count of addresses
 *   4  auth type             5  advertisement interval, s   6  checksum
 *   8  count × 4 bytes of addresses, then 8 bytes of authentication data
 *
 * The checksum covers the whole message, authentication data included, and no pseudo-header.
 */
export function encodeAdvertisementV2(advertisement: AdvertisementV2): Uint8Array {
  const { addresses } = advertisement
  const message = new Uint8Array(messageLength(VERSION, 'ipv4', addresses.length))
  message[0] = (VERSION << 4) | TYPE_ADVERTISEMENT
  message[1] = advertisement.vrid
  message[2] = advertisement.priority
  message[3] = addresses.length
  message[4] = advertisement.authType
  message[5] = advertisement.adverIntSeconds
  writeAddresses(message, FIXED_LENGTH, addresses, 'ipv4')
  message.set(advertisement.authData, message.length - AUTH_DATA_LENGTH)
  const checksum = internetChecksum(message)
  message[CHECKSUM_OFFSET] = checksum >>> 8
  message[CHECKSUM_OFFSET + 1] = checksum & 0xff
  return message
}

/**
 * Decodes the structure of a VRRPv2 ADVERTISEMENT; the IP header is already removed. Checks neither
 * the checksum nor anything that depends on the local virtual router: that is `receive.ts`. Never
 * throws on wire data and copies what it keeps.
 *
 * @returns the advertisement, or the reason why the bytes are none
 */
export function decodeAdvertisementV2(bytes: Uint8Array): AdvertisementV2 | DecodeDiscard {
  if (bytes.length < FIXED_LENGTH + AUTH_DATA_LENGTH) return 'length'
  const first = bytes[0] ?? 0
  if (first >>> 4 !== VERSION) return 'version'
  if ((first & 0x0f) !== TYPE_ADVERTISEMENT) return 'type'
  const count = bytes[3] ?? 0
  if (bytes.length !== messageLength(VERSION, 'ipv4', count)) return 'length'
  return {
    vrid: bytes[1] ?? 0,
    priority: bytes[2] ?? 0,
    authType: bytes[4] ?? 0,
    adverIntSeconds: bytes[5] ?? 0,
    addresses: readAddresses(bytes, FIXED_LENGTH, count, 'ipv4'),
    authData: bytes.slice(bytes.length - AUTH_DATA_LENGTH)
  }
}

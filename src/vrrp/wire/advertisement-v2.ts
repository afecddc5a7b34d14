import { internetChecksum } from './checksum.js'
import { readIpv4, writeIpv4 } from './ipv4.js'

/** Authentication types of VRRPv2 (RFC 2338 §5.3.6; RFC 3768 keeps only the first). */
export const AUTH_NONE = 0
export const AUTH_PASS = 1

/** Length of the Authentication Data field; always sent, zero without a password. */
export const AUTH_DATA_LENGTH = 8

const VERSION = 2
const TYPE_ADVERTISEMENT = 1
const FIXED_LENGTH = 8

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

/** Why bytes are not a VRRPv2 ADVERTISEMENT. */
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
  const message = new Uint8Array(FIXED_LENGTH + addresses.length * 4 + AUTH_DATA_LENGTH)
  message[0] = (VERSION << 4) | TYPE_ADVERTISEMENT
  message[1] = advertisement.vrid
  message[2] = advertisement.priority
  message[3] = addresses.length
  message[4] = advertisement.authType
  message[5] = advertisement.adverIntSeconds
  addresses.forEach((address, i) => {
    writeIpv4(message, FIXED_LENGTH + i * 4, address)
  })
  message.set(advertisement.authData, FIXED_LENGTH + addresses.length * 4)
  const checksum = internetChecksum(message)
  message[6] = checksum >>> 8
  message[7] = checksum & 0xff
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
  const authAt = FIXED_LENGTH + count * 4
  if (bytes.length !== authAt + AUTH_DATA_LENGTH) return 'length'
  const addresses: string[] = []
  for (let i = 0; i < count; i++) addresses.push(readIpv4(bytes, FIXED_LENGTH + i * 4))
  return {
    vrid: bytes[1] ?? 0,
    priority: bytes[2] ?? 0,
    authType: bytes[4] ?? 0,
    adverIntSeconds: bytes[5] ?? 0,
    addresses,
    authData: bytes.slice(authAt)
  }
}

import { addressLength, type Family } from './address.js'
import { sourceOffset } from './ip-header.js'
import { CHECKSUM_OFFSET } from './message.js'

/**
 * The trailer of HMAC authentication (draft-cassen-vrrp-auth-hmac, keepalived 2.4.2 and newer), behind
 * the advertisement:
 *
 *   0  type 1     1  key id     2  reserved, 0
 *   4  UTC seconds              8  1/65536 s      10  counter
 *   12 the first 16 bytes of the HMAC-SHA256
 */
export const TRAILER_LENGTH = 28

const TYPE_SHA256 = 1
const DIGEST_OFFSET = 12
const DIGEST_LENGTH = 16
const PSEUDO_HEADER_LENGTH = 20

/** Makes an HMAC-SHA256 of 32 bytes. */
export type Digest = (data: Uint8Array) => Uint8Array

/** Seconds, fraction and counter of a trailer as one number of 64 bits: it grows with each packet. */
export type Stamp = bigint

/**
 * Writes the trailer of the packet whose IPv4 or IPv6 header and advertisement are already in place;
 * only the checksum of the advertisement may still be missing, as it is not covered.
 *
 * @param messageAt where the advertisement begins
 * @param trailerAt where it ends and the trailer begins
 */
export function writeTrailer(
  packet: Uint8Array,
  family: Family,
  messageAt: number,
  trailerAt: number,
  key: { readonly id: number; readonly digest: Digest },
  stamp: Stamp
): void {
  packet[trailerAt] = TYPE_SHA256
  packet[trailerAt + 1] = key.id
  packet[trailerAt + 2] = 0
  packet[trailerAt + 3] = 0
  for (let i = 0; i < 8; i++)
    packet[trailerAt + 4 + i] = Number((stamp >> BigInt(56 - 8 * i)) & 0xffn)
  const digest = key.digest(signedBytes(packet, family, messageAt, trailerAt))
  packet.set(digest.subarray(0, DIGEST_LENGTH), trailerAt + DIGEST_OFFSET)
}

/** Whether the trailer at `at` is of the type that we know, and its reserved bytes are zero. */
export function isKnownTrailer(packet: Uint8Array, at: number): boolean {
  return packet[at] === TYPE_SHA256 && packet[at + 2] === 0 && packet[at + 3] === 0
}

export function readKeyId(packet: Uint8Array, at: number): number {
  return packet[at + 1] ?? 0
}

/** UTC seconds since 1970, modulo 2^32. */
export function readSeconds(packet: Uint8Array, at: number): number {
  let seconds = 0
  for (let i = 0; i < 4; i++) seconds = seconds * 256 + (packet[at + 4 + i] ?? 0)
  return seconds
}

export function readStamp(packet: Uint8Array, at: number): Stamp {
  let stamp = 0n
  for (let i = 0; i < 8; i++) stamp = (stamp << 8n) | BigInt(packet[at + 4 + i] ?? 0)
  return stamp
}

/** Whether the trailer was made with this key; takes as long for a wrong one as for the right one. */
export function verifyTrailer(
  packet: Uint8Array,
  family: Family,
  messageAt: number,
  trailerAt: number,
  digest: Digest
): boolean {
  const expected = digest(signedBytes(packet, family, messageAt, trailerAt))
  let difference = 0
  for (let i = 0; i < DIGEST_LENGTH; i++) {
    difference |= (expected[i] ?? 0) ^ (packet[trailerAt + DIGEST_OFFSET + i] ?? 0)
  }
  return difference === 0
}

/**
 * What is signed: 20 bytes that bind the packet to its sender (IP version, VRRP version, VRID, 0, the
 * source address padded to 16), the advertisement with its checksum read as 0, and the trailer with
 * zeros for the HMAC. The destination is not in it: copies for several partners are the same.
 */
function signedBytes(
  packet: Uint8Array,
  family: Family,
  messageAt: number,
  trailerAt: number
): Uint8Array {
  const length = PSEUDO_HEADER_LENGTH + trailerAt - messageAt + TRAILER_LENGTH
  const data = new Uint8Array(length)
  data[0] = family === 'ipv4' ? 4 : 6
  data[1] = (packet[messageAt] ?? 0) >>> 4
  data[2] = packet[messageAt + 1] ?? 0
  const sourceAt = sourceOffset(family)
  data.set(packet.subarray(sourceAt, sourceAt + addressLength(family)), 4)
  data.set(packet.subarray(messageAt, trailerAt + DIGEST_OFFSET), PSEUDO_HEADER_LENGTH)
  data.fill(0, PSEUDO_HEADER_LENGTH + CHECKSUM_OFFSET, PSEUDO_HEADER_LENGTH + CHECKSUM_OFFSET + 2)
  return data
}

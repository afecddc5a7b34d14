import { addressLength, type Family } from './address.js'

/** What VRRPv2 and VRRPv3 have in common: version and type, VRID, priority, count, and the checksum. */
export const TYPE_ADVERTISEMENT = 1
/** The bytes before the addresses. */
export const FIXED_LENGTH = 8
/** Length of VRRPv2's Authentication Data; always sent over IPv4, zero without a password. */
export const AUTH_DATA_LENGTH = 8
export const VRID_OFFSET = 1
export const CHECKSUM_OFFSET = 6

/**
 * Length of an advertisement of `count` addresses, without what HMAC authentication appends.
 *
 * @param version of VRRP; anything but 2 is taken for 3
 */
export function messageLength(version: number, family: Family, count: number): number {
  const authentication = version === 2 && family === 'ipv4' ? AUTH_DATA_LENGTH : 0
  return FIXED_LENGTH + count * addressLength(family) + authentication
}

import { ipv4ToNumber } from './wire/ipv4.js'

/**
 * Orders two addresses of one family as numbers in network byte order, for the election between equal
 * priorities (RFC 3768 §6.4.3, RFC 9568 §6.4.3): less than 0 when `a` is the lesser one.
 *
 * @param a dotted decimal, or IPv6 in any of its text forms, a zone left out
 */
export function compareAddresses(a: string, b: string): number {
  const left = toNumber(a)
  const right = toNumber(b)
  return left < right ? -1 : left > right ? 1 : 0
}

function toNumber(address: string): bigint {
  return address.includes(':') ? ipv6ToNumber(address) : BigInt(ipv4ToNumber(address))
}

function ipv6ToNumber(address: string): bigint {
  const [withoutZone = ''] = address.split('%')
  const [head = '', tail] = withoutZone.split('::')
  const front = groupsOf(head)
  const back = tail === undefined ? [] : groupsOf(tail)
  const zeros = new Array<number>(8 - front.length - back.length).fill(0)
  return [...front, ...zeros, ...back].reduce((value, group) => value * 65536n + BigInt(group), 0n)
}

/** Groups of 16 bits; the last 32 bits may be dotted decimal (RFC 4291 §2.2). */
function groupsOf(text: string): readonly number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const value = ipv4ToNumber(group)
    return [Math.floor(value / 65536), value % 65536]
  })
}

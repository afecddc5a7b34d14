import { readFileSync } from 'node:fs'

/**
 * Whether the kernel forwards IPv6 packets that come in on an interface: then it is a router, and says so
 * in neighbour advertisements (RFC 4861 §4.4). /proc is memory: reading it does not wait.
 *
 * @returns false, too, when the machine has no IPv6
 */
export function forwardsIpv6(interfaceName: string): boolean {
  try {
    return readFileSync(`/proc/sys/net/ipv6/conf/${interfaceName}/forwarding`, 'latin1') !== '0\n'
  } catch {
    return false
  }
}

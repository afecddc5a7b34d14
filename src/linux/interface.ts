import { TshaError } from '../errors.js'
import { runIp } from './ip-command.js'

/** What tsha needs to know of a network interface. */
export interface NetworkInterface {
  readonly name: string
  readonly index: number
  /** Hardware address, `aa:bb:cc:dd:ee:ff`. */
  readonly mac: string
  readonly isUp: boolean
  /** IPv4 addresses with their prefix length; primary ones before secondary ones of their subnet. */
  readonly addresses: readonly { readonly address: string; readonly prefixLength: number }[]
}

/** The members of `ip -json addr show` that are read here. */
interface IpLink {
  ifindex: number
  ifname: string
  flags: string[]
  address?: string
  addr_info?: { family: string; local: string; prefixlen: number }[]
}

/** @throws {TshaError} `TSHA_E_INTERFACE` when there is no such interface */
export async function readInterface(name: string): Promise<NetworkInterface> {
  const result = await runIp(['-json', 'addr', 'show', 'dev', name])
  const link = result.ok ? (JSON.parse(result.stdout) as IpLink[])[0] : undefined
  if (!link) throw await missing(name, result.failure)
  const addresses = (link.addr_info ?? [])
    .filter((info) => info.family === 'inet')
    .map((info) => ({ address: info.local, prefixLength: info.prefixlen }))
  return {
    name: link.ifname,
    index: link.ifindex,
    mac: link.address ?? '',
    isUp: isUp(link.flags),
    addresses
  }
}

/** Whether an interface can carry packets: switched on, and its carrier is there. */
export function isUp(flags: readonly string[]): boolean {
  return flags.includes('UP') && flags.includes('LOWER_UP')
}

async function missing(name: string, failure: string): Promise<TshaError> {
  const all = await runIp(['-json', 'link', 'show'])
  if (!all.ok) return new TshaError('TSHA_E_INTERFACE', `cannot read interface ${name}: ${failure}`)
  const names = (JSON.parse(all.stdout) as IpLink[]).map((link) => link.ifname)
  return new TshaError(
    'TSHA_E_INTERFACE',
    `interface ${name} does not exist; this machine has ${names.join(', ')}`
  )
}

import { TshaError } from '../errors.js'
import { runIp } from './ip-command.js'

/** An address of a network interface. */
export interface InterfaceAddress {
  readonly address: string
  readonly prefixLength: number
  readonly family: 'ipv4' | 'ipv6'
  /** `global`, `link`, `host` or a number. */
  readonly scope: string
  /** IPv6: not to be used yet, or not at all because another machine has it (RFC 4862 §5.4). */
  readonly isTentative: boolean
}

/** What tsha needs to know of a network interface. */
export interface NetworkInterface {
  readonly name: string
  readonly index: number
  /** Hardware address, `aa:bb:cc:dd:ee:ff`. */
  readonly mac: string
  readonly mtu: number
  /** Such as `UP`, `LOWER_UP`, `POINTOPOINT`. */
  readonly flags: readonly string[]
  readonly hasCarrier: boolean
  /** Switched on, with carrier. */
  readonly isUp: boolean
  /**
   * IPv4 before IPv6. IPv4: primary ones before secondary ones of their subnet; IPv6: link-local ones
   * before others.
   */
  readonly addresses: readonly InterfaceAddress[]
}

/** The members of `ip -json addr show` that are read here. */
interface IpLink {
  ifindex?: number
  ifname?: string
  flags?: string[]
  mtu?: number
  address?: string
  addr_info?: IpAddress[]
}

interface IpAddress {
  family?: string
  local?: string
  prefixlen?: number
  scope?: string
  tentative?: boolean
  dadfailed?: boolean
}

/** @throws {TshaError} `TSHA_E_INTERFACE` when there is no such interface */
export async function readInterface(name: string): Promise<NetworkInterface> {
  const result = await runIp(['-json', 'addr', 'show', 'dev', name])
  const found = result.ok ? parseInterfaces(result.stdout)[0] : undefined
  if (!found) throw await missing(name, result.failure)
  return found
}

/**
 * Every interface of this machine.
 *
 * @throws {TshaError} `TSHA_E_INTERFACE` when `ip` fails
 */
export async function readInterfaces(): Promise<readonly NetworkInterface[]> {
  const result = await runIp(['-json', 'addr', 'show'])
  if (result.ok) return parseInterfaces(result.stdout)
  throw new TshaError('TSHA_E_INTERFACE', `cannot read the interfaces: ${result.failure}`)
}

/** Reads what `ip -json addr show` writes; for an interface that was not asked for it writes `{}`. */
export function parseInterfaces(json: string): readonly NetworkInterface[] {
  const links = JSON.parse(json) as IpLink[]
  return links.flatMap((link) => {
    const { ifindex, ifname, flags = [], mtu = 0, address: mac = '', addr_info = [] } = link
    if (ifindex === undefined || ifname === undefined) return []
    const addresses = addr_info.flatMap(parseAddress).sort((a, b) => rank(a) - rank(b))
    const hasCarrier = flags.includes('LOWER_UP')
    return {
      name: ifname,
      index: ifindex,
      mac,
      mtu,
      flags,
      hasCarrier,
      isUp: isUp(flags),
      addresses
    }
  })
}

/** Whether an interface can carry packets: switched on, and its carrier is there. */
export function isUp(flags: readonly string[]): boolean {
  return flags.includes('UP') && flags.includes('LOWER_UP')
}

/**
 * The address that advertisements come from: the first one of the family, for IPv6 of those that are
 * link-local (RFC 5798 §5.1.2.1). A virtual address that was left behind is never taken.
 *
 * @param virtual addresses of any virtual router
 * @returns null when there is none, or none yet: an IPv6 address takes a second or two
 */
export function ownAddress(
  { addresses }: NetworkInterface,
  family: 'ipv4' | 'ipv6',
  virtual: readonly string[]
): string | null {
  const own = addresses.find(
    (entry) =>
      entry.family === family &&
      !entry.isTentative &&
      !virtual.includes(entry.address) &&
      (family === 'ipv4' || entry.scope === 'link')
  )
  return own?.address ?? null
}

function parseAddress(info: IpAddress): readonly InterfaceAddress[] {
  const { family, local, prefixlen, scope = 'global', tentative, dadfailed } = info
  if ((family !== 'inet' && family !== 'inet6') || local === undefined) return []
  return [
    {
      address: local,
      prefixLength: prefixlen ?? (family === 'inet' ? 32 : 128),
      family: family === 'inet' ? 'ipv4' : 'ipv6',
      scope,
      isTentative: tentative === true || dadfailed === true
    }
  ]
}

/** `sort` keeps the kernel's order among equals. */
function rank({ family, scope }: InterfaceAddress): number {
  if (family === 'ipv4') return 0
  return scope === 'link' ? 1 : 2
}

async function missing(name: string, failure: string): Promise<TshaError> {
  const all = await runIp(['-json', 'link', 'show'])
  if (!all.ok) return new TshaError('TSHA_E_INTERFACE', `cannot read interface ${name}: ${failure}`)
  const names = parseInterfaces(all.stdout).map((link) => link.name)
  return new TshaError(
    'TSHA_E_INTERFACE',
    `interface ${name} does not exist; this machine has ${names.join(', ')}`
  )
}

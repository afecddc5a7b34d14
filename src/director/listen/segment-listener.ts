import type { VirtualRouterConfig } from '../../config/model.js'
import { messageOf } from '../../errors.js'
import type { NetworkInterface } from '../../linux/interface.js'
import { openVrrpSocket, type VrrpSocket } from '../../linux/vrrp-socket.js'
import { Segment, type Heard } from '../../vrrp/segment.js'
import type { Family } from '../../vrrp/wire/address.js'
import { destinationOf } from '../../vrrp/wire/ip-header.js'
import { VRRP_GROUP } from '../../vrrp/wire/ipv4.js'
import { VRRP_GROUP_IPV6 } from '../../vrrp/wire/ipv6.js'
import { describeRouter, primaryAddressOf } from '../elections/router-model.js'

/** Hears everything that speaks VRRP on an interface, and sends nothing. */
export class SegmentListener {
  readonly #interface: NetworkInterface
  readonly #routers: readonly VirtualRouterConfig[]
  readonly #segment: Segment
  readonly #onHeard: (heard: Heard, wallTime: number) => void
  readonly #onTrouble: (message: string) => void
  readonly #sockets: VrrpSocket[] = []

  /**
   * @param routers of the configuration, on this interface; none judges packets by themselves
   * @param onHeard called for each packet of VRRP, with the time in ms since 1970
   * @param onTrouble called when something cannot be received; the rest is
   * @throws {TshaError} `TSHA_E_INTERFACE`, `TSHA_E_RAW_SOCKET`
   */
  constructor(
    found: NetworkInterface,
    routers: readonly VirtualRouterConfig[],
    onHeard: (heard: Heard, wallTime: number) => void,
    onTrouble: (message: string) => void
  ) {
    this.#interface = found
    this.#routers = routers
    this.#segment = new Segment(
      routers.map((config) => describeRouter(config, primaryAddressOf(config, found, []), false))
    )
    this.#onHeard = onHeard
    this.#onTrouble = onTrouble
    this.#open('ipv4')
    try {
      this.#open('ipv6')
    } catch (error) {
      // Many machines have IPv6 switched off.
      onTrouble(`IPv6 is not heard: ${messageOf(error)}`)
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.close()
  }

  #open(family: Family): void {
    this.#groups(family).forEach((group, index) => {
      // Sockets of further groups get again what is not sent to a group.
      const isWanted = (packet: Uint8Array): boolean =>
        index === 0 || (family === 'ipv4' && destinationOf(packet, family) === group)
      const socket = openVrrpSocket(
        {
          family,
          interface: this.#interface.name,
          interfaceIndex: this.#interface.index,
          group,
          source: '',
          expected: null,
          tellsForeign: true
        },
        (packet) => {
          if (isWanted(packet)) this.#hear(packet)
        },
        (error) => {
          this.#onTrouble(error.message)
        }
      )
      this.#sockets.push(socket)
    })
  }

  /** The usual group, and those of the configuration. */
  #groups(family: Family): readonly string[] {
    const own = this.#routers.filter((router) => router.family === family)
    const usual = family === 'ipv4' ? VRRP_GROUP : VRRP_GROUP_IPV6
    return [...new Set([usual, ...own.map((router) => router.multicastGroup)])]
  }

  #hear(packet: Uint8Array): void {
    const wallTime = Date.now()
    const heard = this.#segment.hear(packet, performance.now(), wallTime)
    if (heard) this.#onHeard(heard, wallTime)
  }
}

import { TshaError } from '../errors.js'
import { runIp } from './ip-command.js'

/** An address that a virtual router may hold. */
export interface LeasableAddress {
  readonly address: string
  readonly prefixLength: number
}

/** An address is renewed when a third of its lease is over, so two renewals may fail. */
const RENEWALS_PER_LEASE = 3

/**
 * Holds addresses on an interface with `ip addr`. They are leased: the kernel removes them by itself
 * when they are no longer renewed, so a dead or frozen director does not keep them (with a lease of
 * 3 s it took 3.16 s, measured). Calls must not overlap; the speaker makes one after the other.
 */
export class IpAddressManager {
  readonly #interface: string
  readonly #addresses: readonly LeasableAddress[]
  readonly #leaseMs: number | null
  readonly #onFailure: (message: string) => void
  #renewal: NodeJS.Timeout | null = null
  #renewing: Promise<void> | null = null

  /**
   * @param leaseMs whole seconds; null adds the addresses for ever
   * @param onFailure told each time `ip` refuses; a failed renewal is tried again at the next one
   */
  constructor(
    interfaceName: string,
    addresses: readonly LeasableAddress[],
    leaseMs: number | null,
    onFailure: (message: string) => void
  ) {
    this.#interface = interfaceName
    this.#addresses = addresses
    this.#leaseMs = leaseMs
    this.#onFailure = onFailure
  }

  /**
   * Removes what an earlier life left behind.
   *
   * @throws {TshaError} `TSHA_E_ADDRESS` when addresses cannot be changed at all
   */
  async clear(): Promise<void> {
    await this.#removeAll((failure) => {
      const hint = failure.includes('not permitted') ? 'needs root or CAP_NET_ADMIN' : failure
      throw new TshaError(
        'TSHA_E_ADDRESS',
        `cannot change addresses of ${this.#interface}: ${hint}`
      )
    })
  }

  async add(): Promise<void> {
    await this.#replaceAll()
    if (this.#leaseMs === null || this.#renewal) return
    this.#renewal = setInterval(() => {
      // A renewal that is still running has up to two more turns before the lease ends.
      this.#renewing ??= this.#replaceAll().finally(() => {
        this.#renewing = null
      })
    }, this.#leaseMs / RENEWALS_PER_LEASE)
  }

  async remove(): Promise<void> {
    if (this.#renewal) clearInterval(this.#renewal)
    this.#renewal = null
    // A renewal that came after the removal would bring the address back for a whole lease.
    await this.#renewing
    await this.#removeAll((failure, address) => {
      this.#onFailure(`cannot remove ${address} from ${this.#interface}: ${failure}`)
    })
  }

  async #removeAll(onFailure: (failure: string, address: string) => void): Promise<void> {
    await this.#each(async (address) => {
      const result = await runIp(['addr', 'del', address, 'dev', this.#interface])
      if (!result.ok && !isAbsent(result.failure)) onFailure(result.failure, address)
    })
  }

  async #replaceAll(): Promise<void> {
    const seconds = this.#leaseMs === null ? 'forever' : String(this.#leaseMs / 1000)
    await this.#each(async (address) => {
      const result = await runIp(
        `addr replace ${address} dev ${this.#interface} valid_lft ${seconds} preferred_lft ${seconds}`.split(
          ' '
        )
      )
      if (!result.ok) {
        this.#onFailure(`cannot add ${address} to ${this.#interface}: ${result.failure}`)
      }
    })
  }

  async #each(change: (address: string) => Promise<void>): Promise<void> {
    await Promise.all(
      this.#addresses.map(({ address, prefixLength }) => change(`${address}/${prefixLength}`))
    )
  }
}

/** The answers of older and newer kernels to the removal of what is not there. */
const ABSENT = /Cannot assign requested address|Address not found|Cannot find device|does not exist/

/** `ip addr del` of an address that is not there, or on an interface that is gone. */
function isAbsent(failure: string): boolean {
  return ABSENT.test(failure)
}

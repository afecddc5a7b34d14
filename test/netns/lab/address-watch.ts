import { EventLog } from './event-log.js'
import type { Host } from './host.js'
import type { LabProcess, Line } from './lab-process.js'

const READY_TIMEOUT_MS = 5000
/** Addresses that nothing uses, by family: that one comes proves that we are watching. */
const PROBE_ADDRESSES = { '-4': '127.77.77.77/32', '-6': 'fd00:77::77/128' } as const

/** A director got or lost the watched address. */
export interface OwnerChange {
  /** When its kernel said so, in milliseconds since the epoch. */
  readonly at: number
  readonly host: string
  readonly owned: boolean
  /** All who have it after this change, in alphabetical order. */
  readonly owners: readonly string[]
}

/**
 * Who holds an address, told by the kernel of each host (`ip monitor address`) at the moment it
 * changes: times are the kernel's messages', not the reader's.
 */
export class AddressWatch {
  readonly changes = new EventLog<OwnerChange>('changes of the owner', 10_000, describeChange)
  readonly #address: string
  readonly #owners = new Set<string>()
  readonly #monitors: LabProcess[] = []

  private constructor(address: string) {
    this.#address = address
  }

  static async start(address: string, hosts: readonly Host[]): Promise<AddressWatch> {
    const watch = new AddressWatch(address)
    await Promise.all(hosts.map((host) => watch.#add(host)))
    return watch
  }

  /** Who has the address now, in alphabetical order. */
  get owners(): readonly string[] {
    return [...this.#owners].sort()
  }

  /** A mark for the waits below: only what happens from now on counts. */
  get mark(): number {
    return this.changes.mark
  }

  /** Resolves when exactly these hosts have the address, at once if they have it already. */
  async waitForOwners(owners: readonly string[], timeoutMs: number): Promise<void> {
    const wanted = [...owners].sort().join(' ')
    if (this.owners.join(' ') === wanted) return
    await this.changes.waitFor(
      (change) => change.owners.join(' ') === wanted,
      `moment at which the address is on ${wanted === '' ? 'nobody' : wanted} alone`,
      timeoutMs,
      this.mark
    )
  }

  /** The first time after `mark` that a host got (or lost) the address. */
  async waitForChange(
    host: string,
    owned: boolean,
    timeoutMs: number,
    mark: number
  ): Promise<OwnerChange> {
    return this.changes.waitFor(
      (change) => change.host === host && change.owned === owned,
      `moment at which ${host} ${owned ? 'gets' : 'loses'} the address`,
      timeoutMs,
      mark
    )
  }

  async #add(host: Host): Promise<void> {
    const family = this.#address.includes(':') ? '-6' : '-4'
    const probe = PROBE_ADDRESSES[family]
    const isProbe = (line: Line): boolean => line.text.includes(probe)
    const monitor = await host.spawn('ip', ['-ts', '-o', family, 'monitor', 'address'])
    this.#monitors.push(monitor)
    const ready = monitor.lines.waitFor(
      isProbe,
      `sign that addresses are watched on ${host.name}`,
      READY_TIMEOUT_MS
    )
    // The monitor does not say when it listens, so the probe comes and goes until it was seen.
    const probing = (async (): Promise<void> => {
      for (let tries = 0; tries < 100 && !monitor.lines.entries.some(isProbe); tries += 1) {
        await host.run('ip', ['addr', 'add', probe, 'dev', 'lo'])
        await host.run('ip', ['addr', 'del', probe, 'dev', 'lo'])
      }
    })()
    await Promise.all([ready, probing])
    if (await host.hasAddress(this.#address)) this.#note(Date.now(), host.name, true)
    monitor.lines.follow((line) => {
      this.#read(host.name, line)
    })
  }

  #read(host: string, line: Line): void {
    if (!line.text.includes(` ${this.#address}/`)) return
    const time = /\[(\d{4}-\d\d-\d\dT[\d:.]+)\]/.exec(line.text)?.[1]
    const at = time === undefined ? line.at : Date.parse(`${time.slice(0, 23)}Z`)
    this.#note(at, host, !line.text.includes('Deleted'))
  }

  /** A renewed lease is a message too, but no change of the owner. */
  #note(at: number, host: string, owned: boolean): void {
    if (this.#owners.has(host) === owned) return
    if (owned) this.#owners.add(host)
    else this.#owners.delete(host)
    this.changes.push({ at, host, owned, owners: this.owners })
  }
}

/** The longest time in which more than one host had the address, in milliseconds. */
export function longestBoth(changes: readonly OwnerChange[], now: number): number {
  const times = changes.map(({ at, owners }, index) =>
    owners.length > 1 ? (changes[index + 1]?.at ?? now) - at : 0
  )
  return Math.max(0, ...times)
}

function describeChange(change: OwnerChange): string {
  const owners = change.owners.length === 0 ? 'nobody has it' : `${change.owners.join(', ')} has it`
  return `${new Date(change.at).toISOString()} ${change.host} ${change.owned ? 'got' : 'lost'} it: ${owners}`
}

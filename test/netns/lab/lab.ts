import { spawn } from 'node:child_process'
import { AddressWatch } from './address-watch.js'
import { Capture } from './capture.js'
import { Host } from './host.js'
import { CLEAN_ENVIRONMENT } from './lab-process.js'
import { Load, requestInTurn, type LoadOptions, type TurnOptions } from './load.js'
import type { RequestResult } from './load-result.js'
import { Web, type WebKind } from './web.js'

/** The machines of the network, with their addresses on ens160, all /24. */
export const ADDRESSES = {
  director1: '192.168.64.130',
  director2: '192.168.64.134',
  web1: '192.168.64.143',
  web2: '192.168.64.138',
  client: '192.168.64.10'
} as const

/** A machine of the network. */
export type HostName = keyof typeof ADDRESSES

const HOST_NAMES = Object.keys(ADDRESSES) as HostName[]

/** The virtual address that the two directors share. */
export const VIP = '192.168.64.200'

/** How a network differs from the usual one. */
export interface LabOptions {
  readonly web?: WebKind
  /** The machines on the switch; all of them unless given. */
  readonly machines?: readonly HostName[]
  /** Gives every machine `fd00:64::N/64` too, where N is the last number of its IPv4 address. */
  readonly ipv6?: boolean
}

/**
 * Classic BPF over an Ethernet frame: IPv4 (offset 12), TCP (23), and of the flags SYN without ACK (47)
 * give 2, TC_ACT_SHOT; anything else gives 0, TC_ACT_OK.
 */
const DROP_SYNS =
  '9,40 0 0 12,21 0 6 2048,48 0 0 23,21 0 4 6,48 0 0 47,84 0 0 18,21 0 1 2,6 0 0 2,6 0 0 0'

/** Classic BPF: everything gives 2, TC_ACT_SHOT. */
const DROP_ALL = '1,6 0 0 2'

const SWITCH = 'switch'
const BRIDGE = 'br0'
const FORWARDING_TIMEOUT_MS = 5000

/**
 * The network of the pair on one machine: two directors, two web servers and a client, each a
 * machine of its own, on one switch. Needs root. It ends with `close`, and also with the process
 * that made it, however that ends.
 */
export class Lab {
  readonly watch: AddressWatch
  readonly #hosts: ReadonlyMap<string, Host>
  readonly #webs = new Map<HostName, Web>()

  private constructor(hosts: ReadonlyMap<string, Host>, watch: AddressWatch, webKind: WebKind) {
    this.#hosts = hosts
    this.watch = watch
    for (const name of ['web1', 'web2'] as const)
      if (hosts.has(name)) this.#webs.set(name, new Web(this.host(name), webKind))
  }

  /** Builds the network; nothing runs in it yet. */
  static async create(options: LabOptions = {}): Promise<Lab> {
    const hosts = new Map<string, Host>()
    const names = options.machines ?? HOST_NAMES
    const ipv6 = options.ipv6 ?? false
    const descriptions = [
      { name: SWITCH, address: null },
      ...names.map((name) => ({ name, address: ADDRESSES[name], ipv6 }))
    ]
    try {
      const started = await Promise.allSettled(descriptions.map((each) => Host.start(each)))
      for (const each of started)
        if (each.status === 'fulfilled') hosts.set(each.value.name, each.value)
      for (const each of started) if (each.status === 'rejected') throw each.reason
      await connect(hosts, names, ipv6)
      const directors = [machine(hosts, 'director1'), machine(hosts, 'director2')]
      return new Lab(hosts, await AddressWatch.start(VIP, directors), options.web ?? 'nginx')
    } catch (error) {
      await Promise.all([...hosts.values()].map((host) => host.close()))
      throw error
    }
  }

  host(name: HostName | typeof SWITCH): Host {
    return machine(this.#hosts, name)
  }

  get web1(): Web {
    return this.#web('web1')
  }

  get web2(): Web {
    return this.#web('web2')
  }

  /** Pulls the cable: the machine loses its carrier and knows it. */
  async cutLink(name: HostName): Promise<void> {
    await this.host(SWITCH).must('ip', 'link', 'set', 'dev', name, 'down')
  }

  /** The switch stops to forward for the machine: its link stays up, nothing passes. */
  async blackhole(name: HostName): Promise<void> {
    await this.host(SWITCH).must('ip', 'link', 'set', 'dev', name, 'nomaster')
  }

  /**
   * A filter on the port of the machine drops every frame in both directions: its link stays up, and
   * the switch forgets nothing.
   */
  async filterPort(name: HostName): Promise<void> {
    const at = this.host(SWITCH)
    await at.must('tc', 'qdisc', 'add', 'dev', name, 'clsact')
    for (const direction of ['ingress', 'egress'])
      await at.must(
        'tc',
        'filter',
        'add',
        'dev',
        name,
        direction,
        'bpf',
        'da',
        'bytecode',
        DROP_ALL
      )
  }

  /** Undoes `filterPort`. */
  async unfilterPort(name: HostName): Promise<void> {
    await this.host(SWITCH).must('tc', 'qdisc', 'del', 'dev', name, 'clsact')
  }

  /** Undoes `cutLink` and `blackhole`. */
  async heal(name: HostName): Promise<void> {
    await this.host(SWITCH).must('ip', 'link', 'set', 'dev', name, 'up')
    await this.host(SWITCH).must('ip', 'link', 'set', 'dev', name, 'master', BRIDGE)
  }

  /** Deletes the network interface of a machine and gives it a new one of the same name. */
  async replaceInterface(name: HostName): Promise<void> {
    await this.host(name).must('ip', 'link', 'del', 'ens160')
    await ipBatch(this.host(name), interfaceOf(this.host(SWITCH), name, false))
    await this.host(SWITCH).must('ip', 'link', 'set', 'dev', name, 'master', BRIDGE, 'up')
  }

  /** The machine takes no new TCP connection and says nothing; those that it has go on. */
  async dropSyns(name: HostName): Promise<void> {
    const filter = ['filter', 'add', 'dev', 'ens160', 'ingress', 'bpf', 'da', 'bytecode', DROP_SYNS]
    await this.host(name).must('tc', 'qdisc', 'add', 'dev', 'ens160', 'clsact')
    await this.host(name).must('tc', ...filter)
  }

  /** Undoes `dropSyns`. */
  async takeSyns(name: HostName): Promise<void> {
    await this.host(name).must('tc', 'qdisc', 'del', 'dev', 'ens160', 'clsact')
  }

  /**
   * Captures what passes between a machine and the switch, in both directions, or with `all` every
   * frame that the switch takes from any machine.
   */
  async capture(name: HostName | 'all', filter: string): Promise<Capture> {
    return Capture.start(this.host(SWITCH), name === 'all' ? BRIDGE : name, filter)
  }

  /** A client that asks for the first page of the virtual address without pause. */
  async steadyClient(options: Omit<LoadOptions, 'url'>): Promise<Load> {
    return Load.start(this.host('client'), { url: `http://${VIP}/`, ...options })
  }

  /** The client's answers to requests that are made one after the other. */
  async get(count: number, options: TurnOptions = {}): Promise<readonly RequestResult[]> {
    return requestInTurn(this.host('client'), `http://${VIP}/`, count, options)
  }

  /** Ends every machine and all that runs in it. May be called again. */
  async close(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map((host) => host.close()))
  }

  #web(name: 'web1' | 'web2'): Web {
    const web = this.#webs.get(name)
    if (!web) throw new RangeError(`there is no machine ${name}`)
    return web
  }
}

function machine(hosts: ReadonlyMap<string, Host>, name: string): Host {
  const host = hosts.get(name)
  if (!host) throw new RangeError(`there is no machine ${name}`)
  return host
}

/** Lays the cables. `ip` is entered from here so that it sees both ends' process ids. */
async function connect(
  hosts: ReadonlyMap<string, Host>,
  names: readonly HostName[],
  ipv6: boolean
): Promise<void> {
  const switchHost = machine(hosts, SWITCH)
  const bridge = `link add ${BRIDGE} type bridge stp_state 0 mcast_snooping 0 forward_delay 0`
  await ipBatch(switchHost, ['link set lo up', bridge, `link set ${BRIDGE} up`])
  await Promise.all(
    names.map((name) =>
      ipBatch(machine(hosts, name), ['link set lo up', ...interfaceOf(switchHost, name, ipv6)])
    )
  )
  await ipBatch(
    switchHost,
    names.flatMap((name) => [`link set dev ${name} master ${BRIDGE}`, `link set dev ${name} up`])
  )
  const deadline = Date.now() + FORWARDING_TIMEOUT_MS
  for (;;) {
    const ports = await switchHost.must('ip', '-d', '-o', 'link', 'show', 'master', BRIDGE)
    if (ports.split('state forwarding').length - 1 === names.length) return
    if (Date.now() > deadline) throw new Error(`the switch does not forward: ${ports}`)
  }
}

/** The `ip` commands that make the cable of a machine, whose other end is at the switch. */
function interfaceOf(switchHost: Host, name: HostName, ipv6: boolean): string[] {
  const address = ADDRESSES[name]
  return [
    `link add ens160 address ${macOf(address)} type veth peer name ${name} netns ${switchHost.pid}`,
    `addr add ${address}/24 brd + dev ens160`,
    ...(ipv6 ? [`addr add ${ipv6Of(name)}/64 dev ens160 nodad`] : []),
    'link set ens160 up'
  ]
}

/** The IPv6 address of a machine in a lab that has IPv6. */
export function ipv6Of(name: HostName): string {
  return `fd00:64::${ADDRESSES[name].split('.')[3] ?? ''}`
}

/** The hardware address of a machine: 02:00 and its IPv4 address, so that captures are readable. */
export function macOf(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
  return ['02', '00', ...bytes].join(':')
}

/** Runs `ip` commands in the network namespace of a machine, but among the caller's processes. */
async function ipBatch(host: Host, lines: readonly string[]): Promise<void> {
  const ip = spawn('nsenter', ['--target', String(host.pid), '--net', 'ip', '-batch', '-'], {
    env: CLEAN_ENVIRONMENT,
    stdio: ['pipe', 'ignore', 'pipe'],
    timeout: 10_000
  })
  let said = ''
  ip.stdin.on('error', () => {
    // It ended before it read everything; its exit code says why.
  })
  ip.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const code = new Promise<number | null>((resolve, reject) => {
    ip.once('error', reject)
    ip.once('close', resolve)
  })
  ip.stdin.end(`${lines.join('\n')}\n`)
  if ((await code) !== 0) throw new Error(`the network of ${host.name}: ${said.trim()}`)
}

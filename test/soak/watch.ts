import { readFileSync, readdirSync, readlinkSync } from 'node:fs'

/** What a process has at one moment. */
export interface ProcessFacts {
  readonly pid: number
  readonly rssMib: number
  /** Open descriptors of any kind. */
  readonly fds: number
  readonly clients: number
  readonly upstreams: number
  /** Connections whose other side has ended: closed here soon, or leaked. */
  readonly closeWait: number
}

/** Which ports tell the two sides of a proxy apart. */
export interface Ports {
  readonly listen: number
  readonly upstreams: readonly number[]
}

interface TcpSocket {
  readonly localPort: number
  readonly remotePort: number
  /** As the kernel numbers them: 8 is CLOSE_WAIT, 10 is LISTEN (include/net/tcp_states.h). */
  readonly state: number
}

const CLOSE_WAIT = 8
const LISTEN = 10

/** Looks at processes; one that is gone has nothing. */
export function lookAt(pids: readonly number[], ports: Ports): readonly ProcessFacts[] {
  const sockets = tcpSockets()
  return pids.map((pid) => {
    const links = linksOf(pid)
    const own = links.flatMap(
      (link) => sockets.get(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? '') ?? []
    )
    const open = own.filter(({ state }) => state !== LISTEN)
    return {
      pid,
      rssMib: rssMib(pid),
      fds: links.length,
      clients: open.filter(({ localPort }) => localPort === ports.listen).length,
      upstreams: open.filter(({ remotePort }) => ports.upstreams.includes(remotePort)).length,
      closeWait: open.filter(({ state }) => state === CLOSE_WAIT).length
    }
  })
}

function rssMib(pid: number): number {
  const status = read(`/proc/${pid}/status`)
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024
}

/** What the descriptors of a process point to. */
function linksOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`))
  } catch {
    return []
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

/** IPv4 sockets by inode (proc_net_tcp.txt of the kernel). */
function tcpSockets(): ReadonlyMap<string, TcpSocket> {
  const sockets = new Map<string, TcpSocket>()
  for (const line of read('/proc/net/tcp').split('\n').slice(1)) {
    const [, local = '', remote = '', state = '', , , , , , inode = ''] = line.trim().split(/\s+/)
    sockets.set(inode, {
      localPort: parseInt(local.split(':')[1] ?? '', 16),
      remotePort: parseInt(remote.split(':')[1] ?? '', 16),
      state: parseInt(state, 16)
    })
  }
  return sockets
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

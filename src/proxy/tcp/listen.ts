import type { AddressInfo, Server } from 'node:net'
import { TshaError, errnoOf } from '../../errors.js'
import type { ListenAddress } from '../model.js'

/**
 * Listens on an address.
 * @param onError hears what happens later, such as a failing accept()
 * @returns the address, with the port that the system chose for port 0
 * @throws {TshaError} TSHA_E_LISTEN naming the address and what stands against it
 */
export async function listenOn(
  server: Server,
  address: ListenAddress,
  backlog: number,
  onError: (error: Error) => void
): Promise<ListenAddress> {
  const { host, port } = address
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(listenError(address, error))
    })
    server.listen({ host, port, backlog, ipv6Only: true }, () => {
      server.removeAllListeners('error')
      server.on('error', onError)
      resolve()
    })
  })
  return { host, port: (server.address() as AddressInfo).port }
}

function listenError(address: ListenAddress, error: Error): TshaError {
  const { host, port } = address
  const reason = LISTEN_PROBLEMS[errnoOf(error) ?? ''] ?? `cannot be listened on: ${error.message}`
  return new TshaError('TSHA_E_LISTEN', `port ${port} on ${host} ${reason}`, { cause: error })
}

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another program',
  EACCES: 'needs root or CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'is not an address of this machine'
}

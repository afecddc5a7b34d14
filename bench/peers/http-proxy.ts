import { fileURLToPath } from 'node:url'
import type { Peer } from './peer.js'

const PROGRAM = fileURLToPath(new URL('../http-proxy-peer.js', import.meta.url))

/** The library http-proxy on node:http, on the Node that runs the benchmark. */
export const httpProxy: Peer = {
  title: 'http-proxy',
  needs: null,
  start({ fleet, name, prefix, port, upstreams }) {
    const command = [process.execPath, PROGRAM, String(port), ...upstreams.map(String)]
    return fleet.start(name, [...prefix, ...command])
  }
}

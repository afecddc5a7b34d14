import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LOOPBACK } from '../sockets.js'
import { REPOSITORY } from '../machine.js'
import type { PeerSetup } from './peer.js'

const EXAMPLE = join(REPOSITORY, 'docs/examples/pair/nginx.conf')

/** Lines that name what only the machines of the example have. */
const FOREIGN_LINE = /^(user |include \/usr\/share|\s+include \/etc\/nginx\/conf\.d).*\n/gm

/**
 * The example's nginx.conf, from which nginx and tsha both run: with one worker, on loopback, with its
 * logs in the benchmark's directory, and otherwise as it is.
 */
export function exampleConf(setup: PeerSetup): string {
  const { fleet, name, port, upstreams, connections } = setup
  const servers = [...upstreams]
  return readFileSync(EXAMPLE, 'utf8')
    .replace(FOREIGN_LINE, '')
    .replace('worker_processes auto', 'worker_processes 1')
    .replace(/worker_connections \d+/, `worker_connections ${connections}`)
    .replace(/^pid .*/m, `pid ${fleet.directory}/${name}.pid;`)
    .replaceAll('/var/log/nginx/', `${fleet.directory}/${name}-`)
    .replace(/listen +80;/, `listen ${LOOPBACK}:${port};`)
    .replaceAll(/server 192\.168\.64\.\d+/g, () => `server ${LOOPBACK}:${servers.shift() ?? 0}`)
}

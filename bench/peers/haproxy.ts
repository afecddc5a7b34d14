import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LOOPBACK } from '../sockets.js'
import type { Peer, PeerSetup } from './peer.js'

/** HAProxy with one thread that does what the example's nginx.conf does, access log included. */
export const haproxy: Peer = {
  title: 'HAProxy',
  needs: 'haproxy',
  start(setup) {
    const conf = join(setup.fleet.directory, `${setup.name}.cfg`)
    writeFileSync(conf, haproxyConf(setup))
    return setup.fleet.start(setup.name, [...setup.prefix, 'haproxy', '-db', '-f', conf])
  }
}

function haproxyConf({ port, upstreams, connections }: PeerSetup): string {
  const servers = upstreams.map((each, index) => `server web${index + 1} ${LOOPBACK}:${each}`)
  return `global
  nbthread 1
  maxconn ${connections}
  # Fewer open files than connections would need is no reason not to start.
  no strict-limits
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  http-reuse always
  timeout connect 3s
  timeout client 65s
  timeout http-keep-alive 65s
  timeout server 10s
  option redispatch 1
  retries 1
  retry-on all-retryable-errors
frontend clients
  bind ${LOOPBACK}:${port}
  option forwardfor
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-Proto http
  default_backend web
backend web
  balance roundrobin
  ${servers.join('\n  ')}
`
}

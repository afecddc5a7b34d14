import { haproxy } from './haproxy.js'
import { httpProxy } from './http-proxy.js'
import { nginx, nginxTuned } from './nginx.js'
import { tsha } from './tsha.js'

/** Everything that can be measured, by the names of `--peers`. */
export const PEERS = {
  tsha,
  nginx,
  'nginx-tuned': nginxTuned,
  haproxy,
  'http-proxy': httpProxy
} as const

export type PeerName = keyof typeof PEERS

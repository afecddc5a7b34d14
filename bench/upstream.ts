import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Fleet, Program } from './fleet.js'
import { nginxTemporaryPaths } from './peers/nginx-paths.js'
import { LOOPBACK } from './sockets.js'

/**
 * Starts the web servers: one nginx that listens on two ports and answers with a few bytes, with files
 * of 16 KiB and 1 MiB, and to a POST once it has all of its body.
 */
export function startUpstream(
  fleet: Fleet,
  cores: string,
  ports: readonly [number, number]
): Program {
  const root = join(fleet.directory, 'root')
  mkdirSync(root)
  writeFileSync(join(root, '16k'), Buffer.alloc(16 * 1024, 'x'))
  writeFileSync(join(root, '1m'), Buffer.alloc(1024 * 1024, 'x'))
  const conf = join(fleet.directory, 'upstream.conf')
  writeFileSync(conf, upstreamConf(fleet.directory, root, ports))
  return fleet.start('upstream', ['taskset', '-c', cores, 'nginx', '-c', conf])
}

function upstreamConf(directory: string, root: string, ports: readonly [number, number]): string {
  return `daemon off;
worker_processes 1;
error_log ${directory}/upstream-error.log;
pid ${directory}/upstream.pid;
events { worker_connections 8192; }
http {
  access_log off;
  keepalive_requests 1000000000;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=10 inactive=1h;
  default_type text/plain;
  client_body_buffer_size 128k;
  ${nginxTemporaryPaths(directory, 'upstream')}
  # "return" would answer before the body is there; a proxy reads it first.
  upstream itself { server unix:${directory}/upstream.sock; keepalive 64; }
  server { listen unix:${directory}/upstream.sock; return 200 "thanks\\n"; }
  server {
    listen ${LOOPBACK}:${ports[0]};
    listen ${LOOPBACK}:${ports[1]};
    location = /small { return 200 "hello from a web server\\n"; }
    location = /post {
      proxy_pass http://itself;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Content-Length "";
      proxy_pass_request_body off;
    }
    location / { root ${root}; }
  }
}
`
}

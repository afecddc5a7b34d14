import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Fleet, Program } from '../../bench/fleet.js'
import { answering, LOOPBACK } from '../../bench/sockets.js'
import { childrenOf, signalProcess } from '../netns/lab/process-tree.js'
import { MAX_UPLOAD } from './plan.js'

const PROGRAM = fileURLToPath(new URL('../../bin/tsha.js', import.meta.url))

const START_POLL_MS = 50

/** The program under test. */
export interface ProxyUnderSoak {
  readonly program: Program
  readonly port: number
  /** All that there were, the oldest first. */
  accessLogs(): readonly string[]
  /** Puts the access log away and has a new one begun, as logrotate does. */
  rotate(): void
  readonly errorLog: string
  /** The director first. */
  pids(): readonly number[]
  /** Lines of its own log that tell of an error, and everything that is no line of its log. */
  complaints(): readonly string[]
}

/** Starts tsha with an nginx.conf of its own; resolves when it answers. */
export async function startProxy(
  fleet: Fleet,
  port: number,
  upstreams: readonly number[],
  workers: number
): Promise<ProxyUnderSoak> {
  const { directory } = fleet
  const conf = join(directory, 'nginx.conf')
  // The workers are another user.
  mkdirSync(join(directory, 'bodies'))
  chmodSync(join(directory, 'bodies'), 0o777)
  writeFileSync(conf, nginxConf(directory, port, upstreams, workers))
  const program = fleet.start('tsha', [
    process.execPath,
    PROGRAM,
    '--nginx-conf',
    conf,
    '--admin-socket',
    'off'
  ])
  await answering(program, port, '/web/')
  // One worker answers already; the others have to be there too before anybody is counted.
  while (!program.output().includes('"msg":"tsha runs"')) await sleep(START_POLL_MS)
  const accessLog = join(directory, 'access.log')
  const old: string[] = []
  return {
    program,
    port,
    accessLogs: () => [...old, accessLog],
    rotate: () => {
      const name = `${accessLog}.${old.length + 1}`
      renameSync(accessLog, name)
      old.push(name)
      signalProcess(program.pid, 'SIGUSR1')
    },
    errorLog: join(directory, 'error.log'),
    pids: () => [program.pid, ...childrenOf(program.pid)],
    complaints: () =>
      readFileSync(join(directory, 'tsha.log'), 'utf8').split('\n').filter(isComplaint)
  }
}

/** Level 50 is an error of pino. */
function isComplaint(line: string): boolean {
  if (line === '') return false
  const level = /^\{"level":(\d+),/.exec(line)?.[1]
  return level === undefined || Number(level) >= 50
}

/**
 * Two groups of the same servers: in `web` they are disabled after failures and whatever may be repeated
 * is, with bodies that are read whole, large ones to a file; `steady` has nginx's own rules and never
 * disables anybody, and its bodies stream.
 */
function nginxConf(
  directory: string,
  port: number,
  upstreams: readonly number[],
  workers: number
): string {
  const servers = (rest: string): string =>
    upstreams.map((each) => `    server ${LOOPBACK}:${each} ${rest};`).join('\n')
  return `worker_processes ${workers};
error_log ${directory}/error.log error;
events { worker_connections 4096; }
http {
  log_format soak '$http_x_soak_id $status $body_bytes_sent $request_time "$request" $upstream_addr $upstream_status';
  access_log ${directory}/access.log soak;
  client_max_body_size ${MAX_UPLOAD};
  client_body_buffer_size 128k;
  client_body_temp_path ${directory}/bodies;
  client_header_timeout 10s;
  client_body_timeout 10s;
  send_timeout 6s;
  keepalive_requests 200;
  proxy_connect_timeout 2s;
  proxy_send_timeout 4s;
  proxy_read_timeout 4s;
  upstream web {
${servers('max_fails=2 fail_timeout=1s')}
  }
  upstream steady {
${servers('max_fails=0')}
  }
  server {
    listen ${LOOPBACK}:${port};
    location /web/ {
      proxy_pass http://web;
      proxy_next_upstream error timeout invalid_header http_503;
    }
    location /steady/ {
      proxy_pass http://steady;
      proxy_request_buffering off;
    }
  }
}
`
}

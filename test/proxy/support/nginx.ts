import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { refusingPort } from './upstream.js'

/** Why a test that needs nginx is skipped, false where it is there. */
export const NGINX_MISSING =
  spawnSync('nginx', ['-v']).status === 0 ? false : 'nginx is not installed'

const LIMIT_MS = 10_000

/** The real nginx with the example pair's file, in front of one server on this machine. */
export async function startNginx(
  t: { teardown: (undo: () => Promise<void>) => void },
  upstreamPort: number
): Promise<number> {
  const port = await refusingPort()
  const directory = mkdtempSync(join(tmpdir(), 'tsha-nginx-'))
  const conf = join(directory, 'nginx.conf')
  writeFileSync(conf, pairConf(directory, port, upstreamPort))
  const nginx = spawn('nginx', ['-c', conf, '-e', join(directory, 'error.log')], {
    stdio: 'ignore'
  })
  const exited = once(nginx, 'exit')
  t.teardown(async () => {
    nginx.kill('SIGTERM')
    await exited
    rmSync(directory, { recursive: true, force: true })
  })
  const deadline = performance.now() + LIMIT_MS
  while (!(await answers(port))) {
    if (nginx.exitCode !== null || performance.now() > deadline) {
      throw new Error(`nginx did not start: ${readFileSync(join(directory, 'error.log'), 'utf8')}`)
    }
  }
  return port
}

/** The pair's file with the places of this machine in it. */
function pairConf(directory: string, port: number, upstreamPort: number): string {
  const path = new URL('../../../../docs/examples/pair/nginx.conf', import.meta.url)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((module) => `${module}_temp_path ${directory}/${module};`)
    .join(' ')
  return readFileSync(path, 'utf8')
    .replace(/^user .*$/m, 'daemon off;')
    .replace(/^worker_processes .*$/m, 'worker_processes 1;')
    .replaceAll('/var/log/nginx', directory)
    .replace('/run/nginx.pid', `${directory}/nginx.pid`)
    .replace(/^ *include .*$/gm, '')
    .replace('http {', `http { ${temporary}`)
    .replace(/^ *listen .*$/m, `listen 127.0.0.1:${port};`)
    .replace(/^ *server 192.*143.*$/m, `server 127.0.0.1:${upstreamPort};`)
    .replace(/^ *server 192.*$/m, '')
}

async function answers(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' })
  const [event] = await Promise.race([
    once(socket, 'connect').then(() => ['connect']),
    once(socket, 'close').then(() => ['close'])
  ]).catch(() => ['close'])
  socket.destroy()
  return event === 'connect'
}

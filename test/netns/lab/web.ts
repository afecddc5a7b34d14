import { join } from 'node:path'
import type { Host } from './host.js'
import type { LabProcess } from './lab-process.js'
import { childrenOf, signalProcess } from './process-tree.js'

const SERVER_PROGRAM = join(import.meta.dirname, 'web-server.js')
const START_TIMEOUT_MS = 10_000
const CONFIGURATION = '/etc/nginx/web.conf'

/** What answers on a web server: the real nginx, or a few lines of Node for where there is none. */
export type WebKind = 'nginx' | 'node'

/** A web server of the lab: `This is web1` to every request for its first page. */
export class Web {
  readonly host: Host
  readonly #kind: WebKind
  #process: LabProcess | null = null

  constructor(host: Host, kind: WebKind) {
    this.host = host
    this.#kind = kind
  }

  /** `This is web1`. */
  get answer(): string {
    return `This is ${this.host.name}`
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    if (this.#process?.exit === null) return
    this.#process = this.#kind === 'nginx' ? await this.#startNginx() : await this.#startNode()
  }

  /** As `systemctl stop nginx` does it: SIGQUIT, requests that were begun are finished. */
  async stop(): Promise<void> {
    await this.#process?.stop('SIGQUIT')
  }

  /** As a power cut does it. */
  async kill(): Promise<void> {
    await this.#process?.stop('SIGKILL')
  }

  /** nginx's workers stand still: the kernel takes connections for them, and nobody answers. */
  freeze(): void {
    for (const pid of this.#workers) signalProcess(pid, 'SIGSTOP')
  }

  /** Undoes `freeze`. */
  thaw(): void {
    for (const pid of this.#workers) signalProcess(pid, 'SIGCONT')
  }

  /** Not the master: `nsenter` stands still with the program that it started, and nobody wakes it. */
  get #workers(): readonly number[] {
    return this.#process?.exit === null ? childrenOf(this.#process.pid) : []
  }

  async #startNode(): Promise<LabProcess> {
    const server = await this.host.spawn(process.execPath, [SERVER_PROGRAM, this.answer])
    await server.lines.waitFor(
      (line) => line.text === 'ready',
      'sign of readiness',
      START_TIMEOUT_MS
    )
    return server
  }

  async #startNginx(): Promise<LabProcess> {
    await this.host.writeFile('/run/www/index.html', `${this.answer}\n`)
    await this.host.writeFile(CONFIGURATION, WEB_CONFIGURATION)
    const nginx = await this.host.spawn('nginx', ['-c', CONFIGURATION])
    // Written by the master process once the port is open and the workers are started.
    await nginx.lines.waitFor(
      (line) => line.text.includes('start worker processes'),
      'sign that nginx serves',
      START_TIMEOUT_MS
    )
    return nginx
  }
}

const WEB_CONFIGURATION = `
user nginx;
daemon off;
worker_processes 1;
pid /run/web.pid;
error_log stderr notice;
events { worker_connections 4096; }
http {
  include /etc/nginx/mime.types;
  access_log off;
  server {
    listen 80;
    root /run/www;
  }
}
`

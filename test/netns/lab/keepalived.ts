import type { Director } from './director.js'
import type { Host } from './host.js'
import type { LabProcess } from './lab-process.js'
import { installPairFiles, ON_DIRECTOR, type Role } from './pair-files.js'

const START_TIMEOUT_MS = 10_000
const STOP_TIMEOUT_MS = 10_000
const LOOK_AGAIN_MS = 10

/** A director with the real keepalived and the real nginx. */
export class KeepalivedDirector implements Director {
  readonly product = 'keepalived and nginx'
  readonly host: Host
  readonly #role: Role
  #keepalived: LabProcess | null = null

  constructor(host: Host, role: Role) {
    this.host = host
    this.#role = role
  }

  async start(): Promise<void> {
    await installPairFiles(this.host, this.#role)
    await this.startProxy()
    await this.startKeepalived()
  }

  /** Starts keepalived alone. */
  async startKeepalived(): Promise<void> {
    const args = ['--dont-fork', '--log-console', '--log-detail', '-f', ON_DIRECTOR.keepalived]
    this.#keepalived = await this.host.spawn('keepalived', args)
    await this.#keepalived.lines.waitFor(
      (line) => line.text.includes('Entering BACKUP STATE'),
      'sign that keepalived takes part',
      START_TIMEOUT_MS
    )
  }

  /** As `systemctl stop nginx` does it. */
  async stopProxy(): Promise<number> {
    const at = Date.now()
    await this.host.must('nginx', '-s', 'quit')
    const deadline = at + STOP_TIMEOUT_MS
    while ((await this.host.pids('nginx')).length > 0) {
      if (Date.now() > deadline) throw new Error(`nginx on ${this.host.name} does not stop`)
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
    }
    return at
  }

  /** nginx returns to its caller once its port is open. */
  async startProxy(): Promise<void> {
    if ((await this.host.pids('nginx')).length > 0) return
    await this.host.must('nginx')
  }

  /** As `systemctl stop keepalived` does it; nginx goes on. */
  async stop(): Promise<number> {
    const at = Date.now()
    await this.#keepalived?.stop('SIGTERM')
    return at
  }

  async kill(): Promise<number> {
    const at = Date.now()
    for (const name of ['keepalived', 'nginx']) {
      const pids = await this.host.pids(name)
      if (pids.length > 0) await this.host.run('kill', ['-KILL', ...pids.map(String)])
    }
    return at
  }

  /** What keepalived said. */
  get log(): string {
    return `${this.#keepalived?.stdout ?? ''}${this.#keepalived?.stderr ?? ''}`
  }
}

import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ProxyConfig } from '../../../src/proxy/model.js'
import type { DirectorMessage, WorkerMessage } from '../../../src/proxy/worker-messages.js'

const LIMIT_MS = 10_000
const HANGING_DISK = fileURLToPath(new URL('./hanging-disk.js', import.meta.url))

/** A worker process and everything that it has said. */
export class WorkerUnderTest {
  readonly worker: Worker
  readonly messages: WorkerMessage[] = []
  readonly exited: Promise<{ code: number | null; signal: string | null }>
  #wake: () => void = () => undefined

  /** @param hangingFifo makes its disk hang, see hanging-disk.ts */
  constructor(hangingFifo?: string) {
    cluster.schedulingPolicy = cluster.SCHED_NONE
    cluster.setupPrimary({
      exec: fileURLToPath(new URL('../../../src/proxy/worker.js', import.meta.url)),
      execArgv: hangingFifo === undefined ? [] : ['--import', HANGING_DISK]
    })
    this.worker = cluster.fork(hangingFifo === undefined ? {} : { HANGING_FIFO: hangingFifo })
    this.worker.on('message', (message: WorkerMessage) => {
      this.messages.push(message)
      this.#wake()
    })
    this.worker.on('error', () => undefined)
    this.exited = once(this.worker, 'exit').then(([code, signal]: unknown[]) => ({
      code: typeof code === 'number' ? code : null,
      signal: typeof signal === 'string' ? signal : null
    }))
  }

  get pid(): number {
    return this.worker.process.pid ?? 0
  }

  tell(message: DirectorMessage): void {
    this.worker.send(message)
  }

  /** Waits for a message of a type; gives the first that has come. */
  async hear<T extends WorkerMessage['type']>(
    type: T
  ): Promise<Extract<WorkerMessage, { type: T }>> {
    const deadline = Date.now() + LIMIT_MS
    for (;;) {
      const found = this.messages.find((message) => message.type === type)
      if (found !== undefined) return found as Extract<WorkerMessage, { type: T }>
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`no ${type}; heard ${JSON.stringify(this.messages)}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = (): void => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** Waits for the worker and gives it its configuration. */
  async start(config: ProxyConfig): Promise<void> {
    await this.hear('ready')
    this.tell({ type: 'start', config, checkToken: 'the-token', peers: [], wishes: [], names: [] })
  }

  async kill(): Promise<void> {
    if (!this.worker.isDead()) this.worker.process.kill('SIGKILL')
    await this.exited
  }
}

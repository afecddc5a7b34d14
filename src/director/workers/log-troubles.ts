import type { LogNews } from '../../proxy/log-file.js'
import type { Log } from '../log.js'

interface Trouble {
  /** The workers that cannot write to it. */
  readonly workers: Set<number>
  lost: number
}

/** What the workers tell of their logs, once for all of them: when a log takes no lines, and when it does again. */
export class LogTroubles {
  readonly #log: Log
  readonly #troubles = new Map<string, Trouble>()

  constructor(log: Log) {
    this.#log = log
  }

  /** @param worker its process id */
  tell(worker: number, path: string, news: LogNews): void {
    if ('problem' in news) this.#begin(worker, path, news.problem)
    else this.#end(worker, path, news.lost)
  }

  /** What a worker that is gone has not written is lost, and nobody knows how much. */
  exited(worker: number): void {
    for (const path of [...this.#troubles.keys()]) this.#end(worker, path, 0)
  }

  #begin(worker: number, path: string, detail: string): void {
    const trouble = this.#troubles.get(path)
    if (trouble !== undefined) {
      trouble.workers.add(worker)
      return
    }
    this.#troubles.set(path, { workers: new Set([worker]), lost: 0 })
    this.#log.error({ path, detail }, 'log file takes no lines: they wait, then they are lost')
  }

  #end(worker: number, path: string, lost: number): void {
    const trouble = this.#troubles.get(path)
    if (trouble?.workers.delete(worker) !== true) return
    trouble.lost += lost
    if (trouble.workers.size > 0) return
    this.#troubles.delete(path)
    this.#log.warn({ path, lost: trouble.lost }, 'log file takes lines again')
  }
}

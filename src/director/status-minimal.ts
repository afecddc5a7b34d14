import { createHash } from 'node:crypto'
import type { Status } from '../admin/model.js'
import type { Config } from '../config/model.js'
import { VERSION } from './version.js'

/** What a director knows of itself without asking its parts. */
export class MinimalStatus {
  readonly #config: Config
  readonly #hash: string
  readonly #startedAt: Date

  constructor(config: Config, startedAt: Date) {
    this.#config = config
    this.#startedAt = startedAt
    this.#hash = createHash('sha256').update(JSON.stringify(config)).digest('hex').slice(0, 12)
  }

  at(now: Date): Status {
    const { role, routerId } = this.#config
    return {
      version: VERSION,
      role,
      router_id: routerId,
      pid: process.pid,
      now: now.toISOString(),
      started_at: this.#startedAt.toISOString(),
      uptime_s: (now.getTime() - this.#startedAt.getTime()) / 1000,
      problems: [],
      configuration: {
        files: [],
        hash: this.#hash,
        loaded_at: this.#startedAt.toISOString(),
        last_reload: null
      },
      virtual_routers: [],
      sync_groups: [],
      checks: [],
      proxy: null
    }
  }
}

import { join } from 'node:path'
import type { Command } from '../../../src/admin/model.js'
import type { Host } from './host.js'
import type { Role } from './pair-files.js'
import { OLD_FILES, TshaDirector } from './tsha.js'

const PROGRAM = join(import.meta.dirname, 'ordered-program.js')
/** Longer than the slowest order may take. */
const ANSWER_TIMEOUT_MS = 20_000

/** What an order came to. */
export interface Answer {
  readonly ok: boolean
  readonly lines: readonly string[]
  readonly tookMs: number
}

/** A director that takes orders. */
export class OrderedDirector extends TshaDirector {
  constructor(host: Host, role: Role) {
    super(host, role, OLD_FILES, PROGRAM)
  }

  async order(command: Command): Promise<Answer> {
    const text = JSON.stringify(command)
    const { mark } = this.log
    this.write(`${text}\n`)
    const line = await this.log.waitFor(
      (each) => each['msg'] === 'answer' && each['order'] === text,
      `answer to ${text}`,
      ANSWER_TIMEOUT_MS,
      mark
    )
    return { ...(line['result'] as Answer), tookMs: Number(line['tookMs']) }
  }
}

import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { BodyFiles } from '../../../src/proxy/body/body-files.js'
import { BodyBudget } from '../../../src/proxy/body/budget.js'
import { RequestBody, type BodyOwner } from '../../../src/proxy/body/request-body.js'
import { ErrorLog } from '../../../src/proxy/error-log.js'

const LIMIT_MS = 10_000

/** Waits for what other callbacks bring about. */
export async function until(isReached: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + LIMIT_MS
  while (!isReached()) {
    if (Date.now() > deadline) throw new Error(`not within ${LIMIT_MS} ms: ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** The files without a name that this process has open, in folders whose path has this text. */
export function namelessFiles(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    const path = join('/proc/self/fd', fd)
    try {
      const target = readlinkSync(path)
      return target.includes(folder) && target.endsWith(' (deleted)') ? [path] : []
    } catch {
      // The one that the folder was read with.
      return []
    }
  })
}

/** Body files with a clock that is set by hand, and the lines that they log. */
export class FilesUnderTest {
  readonly lines: string[] = []
  now = 0
  readonly files: BodyFiles

  constructor(directory: string, budget = new BodyBudget()) {
    const sink = { append: (line: string): unknown => this.lines.push(line) }
    const log = new ErrorLog(sink, 'crit', () => 0, 1)
    this.files = new BodyFiles(directory, budget, log, () => this.now)
  }
}

/** A body and what its owner was told. */
export class BodyUnderTest implements BodyOwner {
  readonly body: RequestBody
  readonly told: string[] = []

  constructor(files: BodyFiles) {
    this.body = new RequestBody(files, this)
  }

  onBodyReady(): void {
    this.told.push('ready')
  }
  onBodyLoaded(): void {
    this.told.push('loaded')
  }
  onBodyRoom(): void {
    // The state of `isFull` is looked at instead.
  }
  onBodyLost(): void {
    this.told.push('lost')
  }

  /** Takes everything that there is to send, as an upstream server that never waits. */
  async drain(): Promise<Buffer> {
    const pieces: Buffer[] = []
    const { body, told } = this
    while (!body.isSent && !told.includes('lost')) {
      const piece = body.next()
      if (piece !== null) pieces.push(piece)
      else await this.#settle()
    }
    return Buffer.concat(pieces)
  }

  async #settle(): Promise<void> {
    const { body, told } = this
    const before = told.length
    body.settle()
    if (!body.hasNext && !body.isSent) await until(() => told.length > before, 'the next piece')
  }
}

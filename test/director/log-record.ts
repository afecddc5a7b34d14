import type { Log } from '../../src/director/log.js'

/** A log that keeps its lines as `level message {fields}`. */
export class LogRecord {
  readonly lines: string[] = []

  readonly log = {
    info: (...args: unknown[]) => {
      this.#keep('info', args)
    },
    warn: (...args: unknown[]) => {
      this.#keep('warn', args)
    },
    error: (...args: unknown[]) => {
      this.#keep('error', args)
    }
  } as unknown as Log

  #keep(level: string, args: readonly unknown[]): void {
    const [first, second] = args
    this.lines.push(
      typeof first === 'string'
        ? `${level} ${first}`
        : `${level} ${String(second)} ${JSON.stringify(first)}`
    )
  }
}

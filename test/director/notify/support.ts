import { appendFileSync, readFileSync, watch, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { pino } from 'pino'
import type { Command, Notify } from '../../../src/config/model.js'
import type { Log } from '../../../src/director/log.js'
import type { ChildStarter } from '../../../src/health/run-command.js'
import { SpawnGate } from '../../../src/health/spawn-gate.js'

export const NOBODY: Notify = {
  master: null,
  backup: null,
  fault: null,
  stop: null,
  deleted: null,
  any: null,
  masterRxLowerPriority: null
}

/** Starts children without a gate that others wait at. */
export function starter(): ChildStarter {
  return { fork: (start) => start(), gate: new SpawnGate() }
}

/** A shell script as a command; `$0` is `sh`, and further arguments are appended. */
export function shell(text: string, ...args: readonly string[]): Command {
  return { command: ['/bin/sh', '-c', text, 'sh', ...args], user: null, group: null }
}

/** A file that scripts append lines to, and that can be waited for. */
export class Diary {
  readonly path: string

  constructor(path: string) {
    this.path = path
    appendFileSync(path, '')
  }

  lines(): readonly string[] {
    return readFileSync(this.path, 'utf8').split('\n').slice(0, -1)
  }

  async until(count: number): Promise<readonly string[]> {
    return this.untilThat((lines) => lines.length >= count)
  }

  async untilThat(is: (lines: readonly string[]) => boolean): Promise<readonly string[]> {
    const watcher = watch(dirname(this.path))
    try {
      while (!is(this.lines())) {
        await new Promise<void>((resolve) => {
          watcher.once('change', () => {
            resolve()
          })
        })
      }
      return this.lines()
    } finally {
      watcher.close()
    }
  }

  clear(): void {
    writeFileSync(this.path, '')
  }
}

/** A log whose messages can be looked at. */
export function memoryLog(): { readonly log: Log; readonly messages: () => readonly string[] } {
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => void lines.push(line) })
  const messages = (): readonly string[] =>
    lines.map((line) => (JSON.parse(line) as { readonly msg: string }).msg)
  return { log, messages }
}

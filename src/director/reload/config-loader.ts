import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { LoadOptions } from '../../config/load.js'
import type { Config, LoadedConfig } from '../../config/model.js'
import { messageOf } from '../../errors.js'
import { withoutCapabilities } from '../../linux/capabilities.js'
import { VERSION } from '../version.js'

const ENTRY = fileURLToPath(new URL('config-loader-process.js', import.meta.url))

/** A disk that takes this long hangs. */
const TIMEOUT_MS = 30_000
/** What was killed has ended long before, unless it hangs in the kernel. */
const END_WAIT_MS = 1000

/** What the process says: it may be of another version than the director that started it. */
export interface LoaderMessage {
  readonly version: string
  readonly outcome: LoadOutcome
}

/** What the process is told. */
export interface LoaderTask {
  readonly options: LoadOptions
  /** The configuration by which the director runs, to be compared with. */
  readonly current: Config
}

/** A configuration that can be used, and what differs in words; or what is wrong, all of it, one line each. */
export type LoadOutcome =
  | {
      readonly ok: true
      readonly loaded: LoadedConfig
      readonly hash: string
      readonly changes: readonly string[]
    }
  | { readonly ok: false; readonly lines: readonly string[] }

/**
 * Reads the configuration anew in a process of its own: reading, checking and comparing a large one takes
 * longer than an advertisement may wait, and a disk may hang. With 20 virtual routers and 200 servers it
 * comes to 50 KB, which take 0.2 ms to be sent and 0.4 ms to be received (measured).
 */
export class ConfigLoader {
  readonly #options: LoadOptions
  readonly #entry: string
  readonly #timeoutMs: number
  readonly #version = VERSION
  /** One that hangs in the kernel cannot be killed, and must not be followed by others. */
  #child: ChildProcess | null = null

  /** @param entry the program of the process; another one is given by tests */
  constructor(options: LoadOptions, entry = ENTRY, timeoutMs = TIMEOUT_MS) {
    this.#options = options
    this.#entry = entry
    this.#timeoutMs = timeoutMs
  }

  /** Never rejects; resolves within 30 s. */
  async load(current: Config): Promise<LoadOutcome> {
    if (this.#child !== null) {
      return refused('the configuration is still being read, which hangs: a disk, or a server')
    }
    try {
      return await this.#loadIn(this.#fork(), current)
    } catch (error) {
      // Without memory, or without file descriptors, Node throws.
      this.#child = null
      return refused(`the configuration cannot be read: ${messageOf(error)}`)
    }
  }

  #fork(): ChildProcess {
    return withoutCapabilities(() =>
      fork(this.#entry, [], {
        serialization: 'advanced',
        execArgv: [],
        stdio: ['ignore', 'ignore', 'inherit', 'ipc']
      })
    )
  }

  #loadIn(child: ChildProcess, current: Config): Promise<LoadOutcome> {
    return new Promise((resolve) => {
      this.#child = child
      let answer: LoadOutcome | null = null
      // What it says is believed when it has ended, so that the next one can begin.
      const settle = (outcome: LoadOutcome): void => {
        answer ??= outcome
        child.kill('SIGKILL')
        clearTimeout(timer)
        timer = setTimeout(() => {
          end(outcome)
        }, END_WAIT_MS)
      }
      const end = (outcome: LoadOutcome): void => {
        clearTimeout(timer)
        child.unref()
        resolve(answer ?? outcome)
      }
      let timer = setTimeout(() => {
        const message = `the configuration could not be read within ${this.#timeoutMs / 1000} s`
        settle(refused(message))
      }, this.#timeoutMs)
      child.on('message', ({ version, outcome }: LoaderMessage) => {
        const isOurs = version === this.#version
        settle(isOurs ? outcome : refused(upgraded(this.#version, version)))
      })
      child.on('error', (error) => {
        if (child.pid !== undefined) return
        this.#child = null
        end(refused(`the configuration cannot be read: ${error.message}`))
      })
      child.on('exit', (status, signal) => {
        this.#child = null
        const how = signal === null ? `with status ${status ?? '?'}` : `by ${signal}`
        end(refused(`the process that reads the configuration ended ${how}`))
      })
      const task: LoaderTask = { options: this.#options, current }
      // Without a channel the process never came to be, which `error` tells.
      if (!child.connected) return
      child.send(task, () => {
        // Its end tells of a process that does not listen.
      })
    })
  }

  /** Ends what is being read. */
  stop(): void {
    this.#child?.kill('SIGKILL')
  }
}

function upgraded(ours: string, installed: string): string {
  return (
    `tsha ${installed} is installed, and this director is ${ours}: ` +
    'restart it to use the new version and the new configuration'
  )
}

function refused(line: string): LoadOutcome {
  return { ok: false, lines: [line] }
}

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import type { Host } from './host.js'

/** Debian's and AlmaLinux's; the tests that need it are skipped where it is not. */
export const CHROMIUM = 'chromium'

const START_TIMEOUT_MS = 30_000

/** A Chromium in the network of a machine of the lab. */
export class LabBrowser {
  readonly #browser: Browser
  readonly #folder: string

  private constructor(browser: Browser, folder: string) {
    this.#browser = browser
    this.#folder = folder
  }

  static async start(host: Host): Promise<LabBrowser> {
    const folder = await mkdtemp(join(tmpdir(), 'tsha-browser-'))
    try {
      // Only the network is the machine's: the browser needs the files of whoever drives it.
      const program = join(folder, 'chromium')
      const entrance = `nsenter --target ${host.pid} --net --`
      await writeFile(program, `#!/bin/sh\nexec ${entrance} ${CHROMIUM} "$@"\n`)
      await chmod(program, 0o755)
      const browser = await chromium.launch({
        executablePath: program,
        // Chromium refuses to run as root with its sandbox; it only ever sees pages of the lab.
        args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
        timeout: START_TIMEOUT_MS
      })
      return new LabBrowser(browser, folder)
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** A page that shares nothing with the others; what went wrong in it is added to `errors`. */
  async page(errors: string[], options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context = await this.#browser.newContext(options)
    const page = await context.newPage()
    page.on('pageerror', (error) => errors.push(String(error)))
    page.on('console', (message) => {
      // An answer that is no 200, and a director that is away, are told by the browser itself.
      const text = message.text()
      if (message.type() === 'error' && !text.startsWith('Failed to load resource'))
        errors.push(text)
    })
    return page
  }

  async close(): Promise<void> {
    await this.#browser.close()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

import type { View } from './style.js'
import { outputView } from './output.js'

// DEC private modes, as in xterm's control sequences.
const ENTER = '\u001B[?1049h\u001B[?25l\u001B[?7l'
const LEAVE = '\u001B[?7h\u001B[?25h\u001B[?1049l'
const HOME = '\u001B[H'
const ERASE_LINE = '\u001B[K'
const ERASE_BELOW = '\u001B[J'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * The alternate screen of the terminal, drawn in place. However the program ends, the terminal is as it
 * was: cursor, line ends, input and what stood there before.
 */
export class Screen {
  readonly #leave = new AbortController()
  #lines: (view: View) => readonly string[] = () => []

  /** Takes the terminal; standard output has to be one. */
  constructor() {
    process.stdout.write(ENTER)
    process.on('exit', this.#restore)
    for (const signal of SIGNALS) process.on(signal, this.#stop)
    process.stdout.on('resize', this.#redraw)
    process.stdout.on('error', this.#stop)
    const { stdin } = process
    if (stdin.isTTY) {
      stdin.setRawMode(true)
      stdin.on('data', this.#readKeys)
      stdin.on('error', this.#stop)
    }
  }

  /** Aborts when the user wants to leave: `q`, Ctrl-C, a signal. */
  get left(): AbortSignal {
    return this.#leave.signal
  }

  /** Shows lines, and again in another width when the window changes; what does not fit is counted. */
  draw(lines: (view: View) => readonly string[]): void {
    this.#lines = lines
    this.#redraw()
  }

  /** Gives the terminal back. */
  close(): void {
    this.#restore()
    process.removeListener('exit', this.#restore)
    for (const signal of SIGNALS) process.removeListener(signal, this.#stop)
    process.stdout.removeListener('resize', this.#redraw)
    process.stdin.removeListener('data', this.#readKeys)
    process.stdin.pause()
    process.stdin.unref()
  }

  readonly #redraw = (): void => {
    const height = process.stdout.rows || 24
    const lines = fitHeight(this.#lines(outputView()), height)
    process.stdout.write(HOME + lines.map((line) => line + ERASE_LINE).join('\r\n') + ERASE_BELOW)
  }

  readonly #restore = (): void => {
    if (process.stdin.isTTY) process.stdin.setRawMode(false)
    process.stdout.write(LEAVE)
  }

  readonly #stop = (): void => {
    this.#leave.abort()
  }

  readonly #readKeys = (keys: Buffer): void => {
    // Ctrl-C and Ctrl-D are keys while input is raw.
    if (/[qQ\u0003\u0004]/.test(keys.toString('latin1'))) this.#stop()
  }
}

/** As many lines as there are rows; of more, the last row says how many are missing. */
export function fitHeight(lines: readonly string[], height: number): readonly string[] {
  if (lines.length <= height) return lines
  const shown = Math.max(1, height - 1)
  return [...lines.slice(0, shown), `… ${lines.length - shown} more lines: make the window higher`]
}

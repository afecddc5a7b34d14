import type { WriteStream } from 'node:tty'

/** Colours of ANSI terminals (ECMA-48, select graphic rendition). */
const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const
const ERASE_LINE = '\r\u001b[2K'
/** Columns that a status line may fill when the terminal does not tell its width. */
const DEFAULT_COLUMNS = 80

type Style = keyof typeof CODES

/**
 * Writes the story. On a terminal it has colours and a status line that stays below the story; in a
 * file or with `NO_COLOR` it is plain text of the same words.
 */
export class Terminal {
  readonly #output: WriteStream
  readonly #coloured: boolean
  readonly #live: boolean
  #status = ''

  constructor(output: WriteStream, environment: NodeJS.ProcessEnv) {
    this.#output = output
    this.#live = output.isTTY && environment['TERM'] !== 'dumb'
    this.#coloured = this.#live && (environment['NO_COLOR'] ?? '') === ''
  }

  style(style: Style, text: string): string {
    return this.#coloured ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text
  }

  line(text = ''): void {
    if (this.#status !== '') this.#output.write(ERASE_LINE)
    this.#output.write(`${text}\n`)
    if (this.#status !== '') this.#output.write(this.#status)
  }

  /** Begins a chapter of the story. */
  chapter(number: number, title: string): void {
    this.line()
    this.line(this.style('bold', `${number}. ${title}`))
  }

  /** Something that an administrator would type, on which machine. */
  typed(host: string, command: string): void {
    this.line(`   ${this.style('cyan', `${host} #`)} ${command}`)
  }

  /** What a program answers. */
  answer(text: string): void {
    this.line(`     ${text}`)
  }

  /** Something that happened, with the time since the chapter's cause. */
  event(ms: number, text: string): void {
    this.line(`   ${this.style('dim', seconds(ms).padStart(9))}  ${text}`)
  }

  /** What came out, and whether that is what an administrator expects. */
  verdict(good: boolean, text: string): void {
    const mark = good ? this.style('green', 'ok') : this.style('red', 'FAILED')
    this.line(`   ${mark}  ${text}`)
  }

  /** Replaces the line below the story; an empty text removes it. Nothing without a terminal. */
  status(text: string): void {
    if (!this.#live) return
    const columns = this.#output.columns > 0 ? this.#output.columns : DEFAULT_COLUMNS
    this.#status = text === '' ? '' : this.style('dim', text.slice(0, columns - 1))
    this.#output.write(`${ERASE_LINE}${this.#status}`)
  }
}

/** `+0.61 s`: a time since a cause, given in milliseconds. */
export function seconds(ms: number): string {
  return `+${(ms / 1000).toFixed(2)} s`
}

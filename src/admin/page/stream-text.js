/**
 * One event of a server-sent event stream.
 *
 * @typedef {{ readonly event: string, readonly data: string, readonly id: string | null }} StreamEvent
 */

/** A longer one is no event of a director. */
const LONGEST = 16 * 1024 * 1024

/** Reads server-sent events from pieces of text, wherever these are cut (HTML, "Server-sent events"). */
export class StreamText {
  #rest = ''
  #event = ''
  #id = /** @type {string | null} */ (null)
  /** @type {string[]} */
  #data = []

  /**
   * @param {string} piece
   * @returns {readonly StreamEvent[]} those that this piece completes
   * @throws {RangeError} when a line does not end
   */
  read(piece) {
    const text = this.#rest + piece
    // A CR at the end may be half of CR LF.
    const cut = text.endsWith('\r') ? text.length - 1 : text.length
    const lines = text.slice(0, cut).split(/\r\n|\r|\n/)
    this.#rest = (lines.pop() ?? '') + text.slice(cut)
    if (this.#rest.length > LONGEST) throw new RangeError('a line of the stream does not end')
    return lines.flatMap((line) => this.#take(line))
  }

  /**
   * @param {string} line
   * @returns {readonly StreamEvent[]}
   */
  #take(line) {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    if (colon === 0) return []
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.#event = value
    else if (field === 'data') this.#data.push(value)
    else if (field === 'id' && !value.includes('\0')) this.#id = value
    return []
  }

  /** @returns {readonly StreamEvent[]} */
  #dispatch() {
    const [event, data] = [this.#event || 'message', this.#data]
    this.#event = ''
    this.#data = []
    return data.length === 0 ? [] : [{ event, data: data.join('\n'), id: this.#id }]
  }
}

/**
 * Heads in which a LF alone ends a line, as RFC 9112 §2.2 lets a recipient accept it, for where the
 * configuration asks for it. They are found by their own rule and then written with CRLF, so that
 * one strict parser reads every head. A CR that no LF follows stays, and is refused there.
 */

/** Index just after the first empty line, whichever way the lines end, or -1. */
export function findLenientHeadEnd(text: string, from: number): number {
  const bare = text.indexOf('\n\n', from)
  const full = text.indexOf('\n\r\n', from)
  if (full >= 0 && (bare < 0 || full < bare)) return full + 3
  return bare < 0 ? -1 : bare + 2
}

/** The head with CRLF at the end of each line. */
export function withCrlf(head: string): string {
  return head.replace(BARE_LF, '\r\n')
}

const BARE_LF = /(?<!\r)\n/g

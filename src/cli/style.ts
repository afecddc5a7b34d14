/** How words are made to stand out; each function takes plain text and gives what the terminal is sent. */
export interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly good: (text: string) => string
  readonly warning: (text: string) => string
  readonly bad: (text: string) => string
  /** For the one thing that must be seen first. */
  readonly alarm: (text: string) => string
}

const same = (text: string): string => text

/** Of pipes, files and terminals without colours. */
export const PLAIN: Style = {
  bold: same,
  dim: same,
  good: same,
  warning: same,
  bad: same,
  alarm: same
}

/** The sixteen colours that every terminal has, in the shades that its user has chosen. */
export const COLOURED: Style = {
  bold: sgr('1', '22'),
  dim: sgr('2', '22'),
  good: sgr('32', '39'),
  warning: sgr('33', '39'),
  bad: sgr('31', '39'),
  alarm: sgr('1;37;41', '0')
}

function sgr(begin: string, end: string): (text: string) => string {
  return (text) => (text === '' ? '' : `\u001B[${begin}m${text}\u001B[${end}m`)
}

/** What the view of a terminal depends on. */
export interface View {
  readonly style: Style
  /** Columns; Infinity where nothing has to fit. */
  readonly width: number
}

/**
 * Colours only on a terminal, and not where `NO_COLOR` has a value (no-color.org) or the terminal is a
 * dumb one. The width is that of the terminal; of a pipe, `COLUMNS` or none.
 */
export function viewOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  env: Readonly<Record<string, string | undefined>>
): View {
  const isTerminal = stream.isTTY === true
  const isColoured =
    isTerminal && (env['NO_COLOR'] ?? '') === '' && (env['TERM'] ?? 'dumb') !== 'dumb'
  const columns = Number(env['COLUMNS'])
  const fallback = Number.isInteger(columns) && columns > 0 ? columns : Infinity
  return {
    style: isColoured ? COLOURED : PLAIN,
    // A pseudo-terminal that nobody has sized says 0.
    width: isTerminal ? stream.columns || 80 : fallback
  }
}

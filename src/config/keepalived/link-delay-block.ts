import type { Statement } from './parser.js'
import type { StatementReader } from './statement-reader.js'

/** The block of the top level that this file reads. */
export const LINK_DELAYS = 'interface_up_down_delays'

/**
 * Reads lines such as `eth0 0.5 2` into `link_delays`. Without the second number a link that comes up
 * counts at once: so does keepalived, though its manual says otherwise.
 */
export function readLinkDelays(
  blocks: readonly Statement[],
  reader: StatementReader
): Record<string, unknown> {
  const delays: Record<string, unknown> = {}
  for (const entry of blocks.flatMap(({ block }) => block ?? [])) {
    const { keyword: name, args, position } = entry
    const [down, up] = args
    if (!down) {
      const message = `${LINK_DELAYS} of ${name} has no value`
      reader.problem('TSHA_E_REQUIRED', message, position)
      continue
    }
    if (args.length > 2) reader.notSupportedWord(entry, 2)
    if (Object.hasOwn(delays, name) || name === '__proto__') {
      const message = `${LINK_DELAYS} of ${name} is given twice; use it once`
      reader.problem('TSHA_E_DUPLICATE', message, position)
      continue
    }
    const secondsOf = (key: string, word: (typeof args)[number]): string | undefined => {
      const line = { ...entry, keyword: `${LINK_DELAYS} of ${name}`, args: [word] }
      reader.placeEntry(['link_delays', name, key], LINK_DELAYS, word.position)
      return reader.seconds(line)
    }
    delays[name] = { down: secondsOf('down', down), ...(up ? { up: secondsOf('up', up) } : {}) }
  }
  return delays
}

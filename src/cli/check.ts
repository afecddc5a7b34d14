import { describeConfig } from '../config/describe.js'
import { loadConfig, type LoadOptions } from '../config/load.js'

/**
 * `tsha check`: reads the configuration, says what it comes to, and changes nothing.
 *
 * @returns the text to print
 * @throws {ConfigError} with every problem
 */
export async function check(options: LoadOptions): Promise<string> {
  return `${describeConfig(await loadConfig(options))}\n`
}

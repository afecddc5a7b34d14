import { readFileSync } from 'node:fs'

/** The version of this program, as its package has it. */
export function ownVersion(): string {
  const path = new URL('../../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

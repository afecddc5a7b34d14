import { readFileSync } from 'node:fs'

/** The bytes of a file in `golden/`: hex, with comments behind `#`. */
export function readGolden(name: string): Uint8Array {
  const url = new URL(`../../../test/vrrp/golden/${name}.hex`, import.meta.url)
  const hex = readFileSync(url, 'utf8').replace(/#.*$/gm, '').replace(/\s+/g, '')
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

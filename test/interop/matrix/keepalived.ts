import { execFileSync } from 'node:child_process'

/** The keepalived that tsha is compared with. */
export const KEEPALIVED = process.env['TSHA_KEEPALIVED'] ?? 'keepalived'

/** The first version whose HMAC authentication has its present form on the wire. */
export const HMAC_VERSION = '2.4.2'

/** Whether the keepalived of this machine is of a version or newer. */
export function isKeepalived(wanted: string): boolean {
  return compareVersions(versionOf(KEEPALIVED), wanted) >= 0
}

/** As `2.2.7`; it says it on stderr, with exit code 0. */
function versionOf(program: string): string {
  const command = '"$0" --version 2>&1'
  const said = execFileSync('sh', ['-c', command, program], { encoding: 'utf8', timeout: 10_000 })
  const [, version] = /keepalived v(\d+\.\d+\.\d+)/i.exec(said) ?? []
  if (version === undefined) throw new Error(`${program} is not keepalived`)
  return version
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number))
  const unequal = left?.findIndex((part, index) => part !== right?.[index]) ?? -1
  return unequal < 0 ? 0 : (left?.[unequal] ?? 0) - (right?.[unequal] ?? 0)
}

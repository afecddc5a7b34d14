import type { Findings } from './findings.js'
import { decodeKey, keyFileOf } from './hmac-key.js'
import type { RawRouter } from './raw-router.js'
import { PASSWORD_LENGTH } from './resolve-routers.js'
import { elementsOf, memberOf } from './source.js'
import type { Path } from './source.js'

/** The rules of authentication. No message has a secret in it. */
export function checkAuthentication(routers: readonly RawRouter[], findings: Findings): void {
  for (const router of routers) {
    const path = [...router.path, 'authentication']
    const authentication = memberOf(router.value, 'authentication')
    if (memberOf(authentication, 'type') === 'pass')
      checkPass(router, authentication, path, findings)
    if (memberOf(authentication, 'type') === 'hmac') checkHmac(authentication, path, findings)
  }
}

function checkPass(
  router: RawRouter,
  authentication: unknown,
  path: Path,
  findings: Findings
): void {
  if (router.version === 3) {
    findings.problemIfStrict(
      'TSHA_E_VALUE',
      `virtual router ${router.name}: VRRPv3 has no password (RFC 9568), so it is left out, as keepalived does; ` +
        'remove it, or use version 2 or HMAC',
      path
    )
    return
  }
  const password = memberOf(authentication, 'password')
  if (typeof password !== 'string' || password.length <= PASSWORD_LENGTH) return
  findings.note(
    `virtual router ${router.name}: the password has ${password.length} characters; VRRP carries ${PASSWORD_LENGTH}, so only the first ${PASSWORD_LENGTH} are used, as keepalived does`
  )
}

function checkHmac(authentication: unknown, path: Path, findings: Findings): void {
  const seen = new Set<number>()
  for (const [index, entry] of elementsOf(memberOf(authentication, 'keys')).entries()) {
    const place = [...path, 'keys', index]
    const id = memberOf(entry, 'id')
    if (typeof id === 'number') {
      if (seen.has(id)) {
        const message = `key id ${id} is given twice; give each key its own id`
        findings.problem('TSHA_E_DUPLICATE', message, [...place, 'id'])
      }
      seen.add(id)
    }
    const key = memberOf(entry, 'key')
    if (typeof key !== 'string' || keyFileOf(key) !== null) continue
    const decoded = decodeKey(key)
    if (decoded.ok) continue
    const named = typeof id === 'number' ? `HMAC key ${id}` : 'HMAC key'
    findings.problem('TSHA_E_VALUE', `${named} ${decoded.reason}`, [...place, 'key'])
  }
  if (memberOf(authentication, 'anti_replay') === 'monotonic') {
    if (memberOf(authentication, 'window') === undefined) return
    const message = 'window has no effect with anti_replay monotonic; remove one of them'
    findings.problemIfStrict('TSHA_E_VALUE', message, [...path, 'window'])
  }
}

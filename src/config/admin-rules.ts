import type { AdminConfig } from '../admin/messages.js'
import type { ValidAdmin } from './admin-schema.js'
import type { Findings } from './findings.js'
import { memberOf } from './source.js'
import type { Path } from './source.js'
import { parseListen } from './units.js'

/** What has no use without a port. */
const NEEDS_LISTEN: readonly string[] = ['token_file', 'tls', 'allow_remote', 'host_names']

/** The rules of `admin` that join several values; it reads the configuration before it is validated. */
export function checkAdmin(value: unknown, findings: Findings): void {
  const admin = memberOf(value, 'admin')
  const path = (key: string): Path => ['admin', key]
  const listen = memberOf(admin, 'listen')
  if (listen === undefined) {
    for (const key of NEEDS_LISTEN) {
      if (memberOf(admin, key) === undefined) continue
      const label = findings.labelOf(path(key), key)
      findings.keyProblem('TSHA_E_REQUIRED', `${label} needs a listen address`, path(key))
    }
    return
  }
  if (memberOf(admin, 'token_file') === undefined) {
    const message = `${findings.labelOf(path('listen'), 'listen')} needs a token file; use one such as /etc/tsha/admin.token`
    findings.keyProblem('TSHA_E_REQUIRED', message, path('listen'))
  }
  if (typeof listen === 'string') checkRemote(admin, listen, path('listen'), findings)
}

function checkRemote(admin: unknown, listen: string, path: Path, findings: Findings): void {
  const host = parseListen(listen)?.host
  if (host === undefined || isLoopback(host)) return
  const label = findings.labelOf(path, 'listen')
  if (memberOf(admin, 'allow_remote') !== true) {
    const message =
      `${label} "${listen}" is reached from other machines; ` +
      'use 127.0.0.1, or allow it with allow_remote: true in tsha.yaml'
    findings.problem('TSHA_E_VALUE', message, path)
  } else if (memberOf(admin, 'tls') === undefined) {
    findings.note(`admin: the token crosses the network readable at ${listen}; use tls`)
  }
}

function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.')
}

/** How the admin process serves; null when it has nowhere to. */
export function adminOf(valid: ValidAdmin): AdminConfig | null {
  if (valid === 'off') return null
  const { socket, listen, token_file: tokenFile, tls, recordings } = valid
  if (socket === 'off' && listen === undefined) return null
  return {
    socket: socket === 'off' ? null : socket,
    socketGroup: valid.socket_group ?? null,
    listen:
      listen === undefined || tokenFile === undefined
        ? null
        : { ...listen, tokenFile, tls: tls ?? null, hostNames: valid.host_names },
    recordings: recordings === 'off' ? null : recordings
  }
}

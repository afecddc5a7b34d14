import { stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { errnoOf, messageOf, TshaError } from '../errors.js'
import { findGroupName } from '../linux/users.js'
import type { Target } from './target.js'

/** What came is not what a director says: another program, or another version. */
export function answerError(message: string): TshaError {
  const text = `this is no answer of a director: ${message}; does another program, or another version of tsha, listen there?`
  return new TshaError('TSHA_E_ANSWER', text)
}

/** Turns what went wrong on the way to a director into what an administrator can do about it. */
export async function explain(error: unknown, target: Target): Promise<Error> {
  if (error instanceof TshaError) return error
  const code = errnoOf(error) ?? ''
  if (code.startsWith('HPE_')) return answerError('it does not speak HTTP')
  if (code === 'ECONNRESET') {
    const message = 'the connection was closed before the answer was complete'
    return new TshaError('TSHA_E_NO_ANSWER', message, { cause: error })
  }
  if (target.kind === 'url') return explainUrl(error, code, target.url)
  const { path } = target
  if (code === 'EACCES' || code === 'EPERM') {
    return new TshaError('TSHA_E_ACCESS', `may not use ${path}: ${await whoMay(path)}`, {
      cause: error
    })
  }
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTSOCK') {
    const message = `no director runs here, or its admin socket is off (${path}): systemctl status 'tsha@*'`
    return new TshaError('TSHA_E_NO_DIRECTOR', message, { cause: error })
  }
  return new TshaError('TSHA_E_NO_ANSWER', `${path}: ${messageOf(error)}`, { cause: error })
}

function explainUrl(error: unknown, code: string, url: URL): TshaError {
  const said = messageOf(error)
  // What OpenSSL, Node's own check of names and the server's refusal of our connection are called.
  if (/CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS_/.test(code)) {
    const message = `${url.origin}: its certificate is not trusted: ${said}; --ca FILE names who signed it`
    return new TshaError('TSHA_E_ACCESS', message, { cause: error })
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) {
    return new TshaError('TSHA_E_ANSWER', `${url.origin}: it does not speak TLS: ${said}`, {
      cause: error
    })
  }
  const message = `nobody answers at ${url.origin}: ${said}`
  return new TshaError('TSHA_E_NO_DIRECTOR', message, { cause: error })
}

async function whoMay(path: string): Promise<string> {
  try {
    const { gid } = await stat(path)
    if (gid === 0) return 'only root may; admin.socket_group lets others in'
    const group = (await findGroupName(gid)) ?? String(gid)
    return `only root and the group ${group} may; usermod -a -G ${group} ${userInfo().username} lets you in after the next login`
  } catch {
    return 'permission denied; ask root'
  }
}

import type { Status } from '../admin/model.js'
import { VERSION } from '../director/version.js'
import { TshaError } from '../errors.js'

/**
 * Makes something of a status. That of a director of another version may lack what is looked for, which
 * is said then, with both versions.
 *
 * @throws {TshaError} `TSHA_E_ANSWER`
 */
export function readingOf<T>(status: Status, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof TypeError) || status.version === VERSION) throw error
    const message = `the director runs tsha ${status.version} and this command is tsha ${VERSION}, which cannot read its status; status --json shows it as it is`
    throw new TshaError('TSHA_E_ANSWER', message, { cause: error })
  }
}

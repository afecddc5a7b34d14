import { ConfigError, messageOf, TshaError } from '../errors.js'
import { AdminClient } from './client.js'
import { write } from './output.js'
import { Refusal } from './refusal.js'
import { readTarget, readTimeout, type TargetFlags } from './target.js'
import { checkLine, judge, VERDICTS, type Verdict } from './verdict.js'
import { readingOf } from './version-gap.js'

/** Monitoring systems give their plugins about 10 s. */
const CHECK_MS = 5000

/**
 * `tsha status --check`: one line for a monitoring system. It throws nothing: what cannot be found out is
 * UNKNOWN, and a director that is not there is CRITICAL.
 *
 * @returns 0 to 3
 */
export async function checkStatus(flags: TargetFlags): Promise<number> {
  const { verdict, line } = await judgeDirector(flags)
  await write(`${line}\n`)
  return VERDICTS[verdict]
}

async function judgeDirector(
  flags: TargetFlags
): Promise<{ readonly verdict: Verdict; readonly line: string }> {
  try {
    const timeoutMs = readTimeout(flags.timeout, CHECK_MS)
    const client = new AdminClient(await readTarget(flags, process.env), timeoutMs)
    const status = await client.status()
    return readingOf(status, () => judge(status))
  } catch (error) {
    const verdict = isAway(error) ? 'CRITICAL' : 'UNKNOWN'
    const text =
      error instanceof ConfigError
        ? error.problems.map(({ message }) => message).join('; ')
        : messageOf(error)
    return { verdict, line: checkLine(verdict, text) }
  }
}

function isAway(error: unknown): boolean {
  if (error instanceof Refusal) return error.code === 'TSHA_E_SILENT'
  if (!(error instanceof TshaError)) return false
  return error.code === 'TSHA_E_NO_DIRECTOR' || error.code === 'TSHA_E_NO_ANSWER'
}

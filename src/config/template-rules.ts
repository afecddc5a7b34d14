import { isVariable, VARIABLE_NAMES } from '../proxy/variables.js'
import type { Findings } from './findings.js'
import { suggestion } from './nearest.js'
import type { Path } from './source.js'
import { variablesIn } from './variables.js'

/** Every variable of a template has to exist. */
export function checkVariables(template: unknown, path: Path, findings: Findings): void {
  if (typeof template !== 'string') return
  for (const name of new Set(variablesIn(template))) {
    if (isVariable(name.toLowerCase())) continue
    const message =
      name === ''
        ? 'a $ without the name of a variable is not supported'
        : `variable $${name} is not supported${suggestion(name, VARIABLE_NAMES)}`
    findings.problem('TSHA_E_NOT_SUPPORTED', message, path)
  }
}

#!/usr/bin/env node
import { COMMANDS } from '../src/cli/commands.js'
import { COMPLETE_FLAG } from '../src/cli/completion-scripts.js'
import { failWith } from '../src/cli/fail.js'
import type { CommandDefinition, Values } from '../src/cli/definition.js'
import { EXIT_CONFIG } from '../src/errors.js'

/*
 * The command line: what is typed becomes a command of src/cli. Each of them is loaded when it is used, so
 * that none pays for the others.
 */

/** What the command comes to, and whether something of it may be left that would hold the process. */
const outcome = { code: 0, endsAtOnce: false }

async function carryOut(command: CommandDefinition, values: Values): Promise<void> {
  outcome.endsAtOnce = command.endsAtOnce ?? false
  outcome.code = await command.run(values)
  if (outcome.endsAtOnce) await endNow(outcome.code)
}

/** What the tab key is answered; yargs itself refuses a line that is not complete yet. */
async function printCompletions(words: readonly string[]): Promise<void> {
  const [{ complete }, { liveNames }] = await Promise.all([
    import('../src/cli/complete.js'),
    import('../src/cli/live-names.js')
  ])
  const found = await complete(words, COMMANDS, liveNames)
  process.stdout.write(found.map((word) => `${word}\n`).join(''))
}

/** Ends a director at once: neither sockets of ended workers nor a name server may hold it. */
async function endNow(code: number): Promise<void> {
  try {
    const { exitNow } = await import('../src/linux/syscalls/process.js')
    exitNow(code)
  } catch {
    // Without the native module it ends a little later.
    process.exit(code)
  }
}

try {
  const [first, ...others] = process.argv.slice(2)
  if (first === COMPLETE_FLAG) await printCompletions(others)
  else {
    const { parse } = await import('../src/cli/parser.js')
    await parse(process.argv.slice(2), COMMANDS, carryOut)
  }
  process.exitCode = outcome.code
} catch (error) {
  const code = failWith(error)
  // What is wrong with the configuration is found before anything is open.
  if (outcome.endsAtOnce && code !== EXIT_CONFIG) await endNow(code)
  process.exit(code)
}

/**
 * How a command is described: once, as data, from which the parser, the help, the completion, the man
 * page and `docs/cli.md` are made.
 */

/** What stands for a value that a shell can complete by asking the director. */
export type LiveNames = 'routers' | 'peers'

/** A flag, in the words of yargs. All of them may be left out unless `required` says so. */
export interface Flag {
  readonly type: 'string' | 'boolean'
  readonly describe: string
  /** What stands for the value in the man page, such as `PATH`; absent for a boolean. */
  readonly value?: string
  /** One letter. */
  readonly alias?: string
  readonly choices?: readonly string[]
  readonly required?: true
  /** Flags that cannot stand beside it. */
  readonly conflicts?: readonly string[]
}

/** A word behind the command. */
export interface Positional {
  readonly describe: string
  readonly optional?: true
  readonly choices?: readonly string[]
  readonly live?: LiveNames
}

export interface Example {
  /** As it is typed, beginning with `tsha`. */
  readonly command: string
  readonly describe: string
}

export const GROUPS = ['Look', 'Act', 'The director', 'Files and tools'] as const
export type Group = (typeof GROUPS)[number]

/** What the parser found, by the names of positionals and flags. */
export type Values = Readonly<Record<string, unknown>>

export interface CommandDefinition {
  readonly name: string
  readonly group: Group
  /** Runs when no command is named. */
  readonly isDefault?: true
  /** Ends without waiting for what is still open: sockets of workers, a name server. */
  readonly endsAtOnce?: true
  /** One line. */
  readonly describe: string
  /** Paragraphs of the man page and of `docs/cli.md`, in plain text. */
  readonly details: readonly string[]
  readonly positionals: Readonly<Record<string, Positional>>
  readonly flags: Readonly<Record<string, Flag>>
  readonly examples: readonly Example[]
  /** Carries it out. @returns the exit code */
  run(values: Values): Promise<number>
}

/** What the parser found, by the names of the positionals and flags. */
export type ValuesOf<P, F> = {
  readonly [K in keyof F]: F[K] extends { readonly type: 'boolean' }
    ? boolean | undefined
    : F[K] extends { readonly choices: readonly (infer C)[] }
      ? C | undefined
      : F[K] extends { readonly required: true }
        ? string
        : string | undefined
} & {
  readonly [K in keyof P]:
    WordOf<P[K]> | (P[K] extends { readonly optional: true } ? undefined : never)
}

type WordOf<P> = P extends { readonly choices: readonly (infer C)[] } ? C : string

/** Describes a command; what `run` is given has the types that its flags have. */
export function define<
  const P extends Readonly<Record<string, Positional>>,
  const F extends Readonly<Record<string, Flag>>
>(
  definition: Omit<CommandDefinition, 'positionals' | 'flags' | 'run'> & {
    readonly positionals: P
    readonly flags: F
    run(values: ValuesOf<P, F>): Promise<number>
  }
): CommandDefinition {
  return definition
}

/** How a command is called: `drain PEER`, `why [ROUTER]`. */
export function usageOf({ name, positionals }: CommandDefinition): string {
  const words = Object.entries(positionals).map(([key, { optional, choices }]) => {
    const word = choices === undefined ? key.toUpperCase() : choices.join('|')
    return optional ? `[${word}]` : word
  })
  return [name, ...words].join(' ')
}

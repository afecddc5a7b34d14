import koffi from 'koffi'

/**
 * The door to system calls that Node does not have. Each one is a short, non-blocking call; failures
 * are thrown as `SyscallError` with the name of the errno.
 */
const libc = koffi.load(null)

/** A function of libc; what it returns is checked by `check`. */
export type LibcFunction = (...args: readonly unknown[]) => unknown

/** @param prototype the function's declaration in C */
export function declare(prototype: string): LibcFunction {
  return libc.func(prototype) as LibcFunction
}

/** Makes a structure known to the prototypes declared after it. */
export function declareStruct(name: string, members: Readonly<Record<string, string>>): void {
  koffi.struct(name, members)
}

/** A system call that failed. `code` is the errno's name, such as `EPERM`. */
export class SyscallError extends Error {
  override readonly name = 'SyscallError'
  readonly code: string

  constructor(call: string) {
    const code = errnoName(koffi.errno())
    super(`${call}: ${code}`)
    this.code = code
  }
}

/** @throws {SyscallError} when the result is negative */
export function check(call: string, result: unknown): number {
  if (typeof result !== 'number' || result < 0) throw new SyscallError(call)
  return result
}

function errnoName(errno: number): string {
  for (const [name, value] of Object.entries(koffi.os.errno)) if (value === errno) return name
  return `errno ${errno}`
}

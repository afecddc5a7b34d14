/**
 * For what tells nothing when it changes: asks again and again until the answer is as wanted.
 *
 * @throws {Error} when it was not within `timeoutMs`
 */
export async function until(
  what: string,
  isSo: () => Promise<boolean>,
  timeoutMs: number
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await isSo()))
    if (Date.now() > deadline) throw new Error(`${what}: never in ${timeoutMs} ms`)
}

/**
 * The smallest text found that still fails, made by leaving out pieces: first long ones, then each
 * piece of each length.
 * @param fails whether a text fails; asked at most `limit` times
 */
export async function shrink(
  text: string,
  fails: (candidate: string) => boolean | Promise<boolean>,
  limit = 20_000
): Promise<string> {
  let smallest = text
  let asked = 0
  const leaveOut = async (size: number, step: number): Promise<void> => {
    let at = 0
    while (at < smallest.length && asked < limit) {
      const candidate = smallest.slice(0, at) + smallest.slice(at + size)
      asked++
      if (candidate !== '' && (await fails(candidate))) smallest = candidate
      else at += step
    }
  }
  for (let size = text.length >> 1; size >= 1; size >>= 1) await leaveOut(size, size)
  for (let size = smallest.length >> 1; size >= 1; size--) await leaveOut(size, 1)
  return smallest
}

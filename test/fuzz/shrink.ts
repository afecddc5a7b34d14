/**
 * The smallest text found that still fails, made by leaving out ever shorter pieces.
 * @param fails whether a text fails; asked at most `limit` times
 */
export async function shrink(
  text: string,
  fails: (candidate: string) => boolean | Promise<boolean>,
  limit = 4000
): Promise<string> {
  let smallest = text
  let asked = 0
  for (
    let size = Math.ceil(text.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    let at = 0
    while (at < smallest.length && asked < limit) {
      const candidate = smallest.slice(0, at) + smallest.slice(at + size)
      asked++
      if (candidate !== '' && (await fails(candidate))) smallest = candidate
      else at += size
    }
  }
  return smallest
}

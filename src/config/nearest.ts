/**
 * The word of `known` that `found` was probably meant to be, or undefined when none is near: at most
 * two or a third of its letters differ (Levenshtein distance), case apart.
 */
export function nearest(found: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(found.length < 3 ? 1 : 2, Math.floor(found.length / 3)) + 1
  for (const word of known) {
    const distance = editDistance(found.toLowerCase(), word.toLowerCase())
    if (distance < bestDistance) {
      best = word
      bestDistance = distance
    }
  }
  return best
}

/** `; did you mean "…"?` for the nearest of `known`, or '' when none is near. */
export function suggestion(found: string, known: readonly string[]): string {
  const word = nearest(found, known)
  return word === undefined ? '' : `; did you mean "${word}"?`
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitute, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

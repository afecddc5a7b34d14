/** Of each kind so many are told. */
const TOLD = 10

/** Everything that must not be, by kind. */
export class Findings {
  readonly #byKind = new Map<string, { count: number; readonly examples: string[] }>()

  add(kind: string, example: string): void {
    const known = this.#byKind.get(kind) ?? { count: 0, examples: [] }
    known.count++
    if (known.examples.length < TOLD) known.examples.push(example)
    this.#byKind.set(kind, known)
  }

  /** A line for each kind and each example; empty if all is well. */
  lines(): readonly string[] {
    return [...this.#byKind].flatMap(([kind, { count, examples }]) => [
      `${kind}: ${count}`,
      ...examples.map((example) => `  ${example}`)
    ])
  }
}

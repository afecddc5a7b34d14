import t from 'tap'
import { IdleList, type IdleEntry, type IdlePlace } from '../../src/proxy/idle-list.js'
import { Random } from '../fuzz/random.js'

class Entry implements IdleEntry<Entry> {
  idlePlace: IdlePlace<Entry> | null = null
  readonly name: number

  constructor(name: number) {
    this.name = name
  }
}

t.test('a list of idle clients has the order of a Set, whoever joins and leaves', (t) => {
  const random = new Random(1)
  const entries = Array.from({ length: 12 }, (_, name) => new Entry(name))
  const list = new IdleList<Entry>()
  const model = new Set<Entry>()
  for (let step = 0; step < 5000; step++) {
    const entry = entries[random.below(entries.length)]
    if (entry === undefined) continue
    if (random.oneIn(2)) {
      list.add(entry)
      model.add(entry)
    } else {
      list.delete(entry)
      model.delete(entry)
    }
    const found = [...list].map(({ name }) => name)
    const expected = [...model].map(({ name }) => name)
    if (found.join() !== expected.join()) t.same(found, expected, `step ${step}`)
  }
  t.same([...list], [...model])
  t.end()
})

t.test('the entry that an iteration is at may leave', (t) => {
  const entries = [1, 2, 3].map((name) => new Entry(name))
  const list = new IdleList<Entry>()
  for (const entry of entries) list.add(entry)
  const seen: number[] = []
  for (const entry of list) {
    seen.push(entry.name)
    list.delete(entry)
  }
  t.same(seen, [1, 2, 3])
  t.same([...list], [])
  t.end()
})

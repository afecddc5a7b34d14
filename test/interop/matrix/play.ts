import { AddressWatch } from '../../netns/lab/address-watch.js'
import { Lab, VIP } from '../../netns/lab/lab.js'
import { ADVERTS_FILTER, readAdvert, reignsOf, type Advert } from './adverts.js'
import { DIRECTORS, HEALTHY, type DirectorName, type Feature } from './features.js'
import { Speaker, type Product } from './speaker.js'
import { STORIES, type Anchor, type Pair, type Step } from './story.js'

/** Advertisements in a row that show that a new master stays, or that nobody takes over from one. */
const TAKEN_ADVERTS = 2
const QUIET_ADVERTS = 5
const STEP_TIMEOUT_MS = 15_000

/** Which program runs on which director. */
export type Products = Readonly<Record<DirectorName, Product>>

/** What became of one virtual router in one step. Times are in milliseconds. */
export interface Outcome {
  readonly step: Step
  readonly vrid: number
  /** Who was master before, if anybody, and who advertised with a priority above 0 one after the other. */
  readonly reigns: readonly DirectorName[]
  /** How often a master that was beaten advertised once more; that is no reign. */
  readonly lastWords: number
  /** From the anchor to the first advertisement of the new master; null when nobody took over. */
  readonly takenAfter: number | null
  /** From the act to that advertisement. */
  readonly takenAfterAct: number | null
  /** From that advertisement to its virtual address. */
  readonly gainedAfter: number | null
  /** From that advertisement to the moment at which the old master had no address; before is below 0. */
  readonly lostAfter: number | null
}

const NOTHING_TAKEN = { takenAfter: null, takenAfterAct: null, gainedAfter: null, lostAfter: null }

/** A pair on a network of its own; nothing runs on it yet. */
export class Stage {
  readonly #feature: Feature
  readonly #pair: Pair
  readonly #watches: ReadonlyMap<number, AddressWatch>
  readonly #adverts: Advert[] = []

  private constructor(feature: Feature, pair: Pair, watches: ReadonlyMap<number, AddressWatch>) {
    this.#feature = feature
    this.#pair = pair
    this.#watches = watches
    pair.capture.packets.follow((packet) => {
      const advert = readAdvert(packet)
      if (advert) this.#adverts.push(advert)
    })
  }

  static async build(feature: Feature, products: Products): Promise<Stage> {
    const ipv6 = feature.ipv6 ?? false
    const lab = await Lab.create({ machines: DIRECTORS, ipv6 })
    try {
      const capture = await lab.capture('all', ADVERTS_FILTER)
      const watches = new Map<number, AddressWatch>()
      const hosts = DIRECTORS.map((name) => lab.host(name))
      for (const [vrid, address] of feature.addresses)
        watches.set(vrid, address === VIP ? lab.watch : await AddressWatch.start(address, hosts))
      await Promise.all(hosts.map((host) => host.writeFile(HEALTHY, '')))
      const speaker = (name: DirectorName): Speaker =>
        new Speaker(products[name], lab.host(name), name, feature)
      const directors = { director1: speaker('director1'), director2: speaker('director2') }
      return new Stage(feature, { lab, capture, ...directors }, watches)
    } catch (error) {
      await lab.close()
      throw error
    }
  }

  /** Plays the story of the feature, and ends the network. */
  async play(): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = []
    try {
      for (const step of STORIES[this.#feature.story]) {
        try {
          outcomes.push(...(await playStep(step, this.#pair, this.#adverts, this.#watches)))
        } catch (cause) {
          throw new Error(`${step.name}: ${String(cause)}\n${this.#said()}`, { cause })
        }
      }
      return outcomes
    } finally {
      await this.#pair.lab.close()
    }
  }

  #said(): string {
    return DIRECTORS.map((name) => `${name}:\n${this.#pair[name].said.slice(-2000)}`).join('\n')
  }
}

async function playStep(
  step: Step,
  pair: Pair,
  adverts: readonly Advert[],
  watches: ReadonlyMap<number, AddressWatch>
): Promise<Outcome[]> {
  const begun = adverts.length
  const marks = new Map([...watches].map(([vrid, watch]) => [vrid, watch.mark]))
  const at = await step.act(pair)
  const count = step.takes ? TAKEN_ADVERTS : QUIET_ADVERTS
  await Promise.all(
    [...watches.keys()].map((vrid) =>
      pair.capture.packets.waitFor(
        () => isSettled(adverts, vrid, step.winner, at, count),
        `${count} advertisements of virtual router ${vrid} by ${step.winner} alone`,
        STEP_TIMEOUT_MS,
        pair.capture.packets.mark
      )
    )
  )
  return [...watches].map(([vrid, watch]) => {
    const own = adverts.filter((advert) => advert.vrid === vrid)
    const news = adverts.slice(begun).filter((advert) => advert.vrid === vrid)
    const before = own.findLast((advert) => !news.includes(advert))
    const { firsts, lastWords } = reignsOf(before ? [before, ...news] : news)
    const reigns = firsts.map(({ from }) => from)
    const taken = step.takes ? firsts.at(-1) : undefined
    if (!taken) return { step, vrid, reigns, lastWords, ...NOTHING_TAKEN }
    const changes = watch.changes.since(marks.get(vrid) ?? 0)
    const gained = changes.find(({ host, owned }) => owned && host === step.winner)
    const lost = changes.find(({ host, owned }) => !owned && host !== step.winner)
    const from = anchorOf(step.anchor, own, taken, at)
    return {
      ...{ step, vrid, reigns, lastWords },
      takenAfter: from === null ? null : taken.at - from,
      takenAfterAct: taken.at - at,
      gainedAfter: gained ? gained.at - taken.at : null,
      lostAfter: lost ? lost.at - taken.at : null
    }
  })
}

/** Whether the last `count` advertisements since a moment are the winner's, and claim mastership. */
function isSettled(
  adverts: readonly Advert[],
  vrid: number,
  winner: DirectorName,
  at: number,
  count: number
): boolean {
  const last = adverts.filter((each) => each.vrid === vrid && each.at >= at).slice(-count)
  return last.length === count && last.every((each) => each.from === winner && each.priority > 0)
}

/** Null when there is no such advertisement. */
function anchorOf(
  anchor: Anchor,
  adverts: readonly Advert[],
  taken: Advert,
  at: number
): number | null {
  if (anchor === 'entered') return at
  const heard = adverts.filter((each) => each.from !== taken.from && each.at < taken.at)
  if (anchor === 'previous') return heard.at(-1)?.at ?? null
  if (anchor === 'heard') return heard.find((each) => each.at >= at)?.at ?? null
  const isAccepted = ({ priority }: Advert): boolean => priority === 0 || priority >= taken.priority
  return heard.findLast(isAccepted)?.at ?? null
}

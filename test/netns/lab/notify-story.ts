import type { Host } from './host.js'
import { Lab, VIP } from './lab.js'
import type { LabProcess } from './lab-process.js'
import { laySecondNetwork, SECOND_INTERFACE, SECOND_VIP, setSecondLink } from './second-network.js'

const FOLDER = '/run/notify'
const FIFO = `${FOLDER}/fifo`
const DIARY = `${FOLDER}/diary`
const HEALTHY = `${FOLDER}/healthy`
const CONFIG = '/etc/keepalived/keepalived.conf'
const WAIT_MS = 20_000

/** What both directors told while a story went on. */
export interface Told {
  /** Lines of the pipe, by director. */
  readonly lines: Readonly<Record<Name, readonly string[]>>
  /** Arguments of the notify scripts of the group on director1, in order. */
  readonly scripts: readonly string[]
}

type Name = 'director1' | 'director2'

/** A product that reads keepalived.conf. */
export type StartProduct = (host: Host, config: string) => Promise<LabProcess>

/** What keepalived 2.2.7 tells in this story, and what each part of it is. */
export const STORY: readonly {
  readonly what: string
  readonly director1: string
  readonly director2: string
}[] = [
  { what: 'start', director1: 'BACKUP MASTER', director2: 'BACKUP' },
  { what: 'a check of one member fails', director1: 'FAULT', director2: 'MASTER' },
  { what: 'it passes again', director1: 'BACKUP MASTER', director2: 'BACKUP' },
  { what: 'one interface has no carrier', director1: 'FAULT', director2: 'MASTER' },
  { what: 'it has one again', director1: 'BACKUP MASTER', director2: 'BACKUP' },
  { what: 'the master is stopped', director1: 'STOP', director2: 'MASTER' },
  { what: 'the other one, too', director1: '', director2: 'STOP' }
]

/** Plays the story: two directors, two virtual routers in a sync group on two networks. */
export async function playNotifyStory(lab: Lab, start: StartProduct): Promise<Told> {
  const names = ['director1', 'director2'] as const
  await laySecondNetwork(lab, names)
  const [one, two] = await Promise.all(
    names.map(async (name) =>
      Teller.prepare(lab.host(name), name === 'director1' ? 100 : 90, start)
    )
  )
  if (!one || !two) throw new RangeError('a story needs two directors')
  const changes: readonly (() => Promise<unknown>)[] = [
    async () => {
      // The stronger one first, so that the other one is not master before it.
      await one.start()
      await one.groupSays('BACKUP')
      await two.start()
    },
    () => one.host.removeFile(HEALTHY),
    () => one.host.writeFile(HEALTHY, ''),
    () => setSecondLink(lab, 'director1', false),
    () => setSecondLink(lab, 'director1', true),
    () => one.stop(),
    () => two.stop()
  ]
  for (const [part, change] of changes.entries()) {
    await change()
    await Promise.all([
      one.groupTold(STORY[part]?.director1 ?? ''),
      two.groupTold(STORY[part]?.director2 ?? '')
    ])
  }
  return {
    lines: { director1: one.lines, director2: two.lines },
    scripts: (await one.host.readFile(DIARY)).split('\n').slice(0, -1)
  }
}

/** A director whose pipe is read. */
class Teller {
  readonly host: Host
  readonly #reader: LabProcess
  readonly #begin: () => Promise<LabProcess>
  #process: LabProcess | null = null
  #mark = 0

  private constructor(host: Host, reader: LabProcess, begin: () => Promise<LabProcess>) {
    this.host = host
    this.#reader = reader
    this.#begin = begin
  }

  static async prepare(host: Host, priority: number, start: StartProduct): Promise<Teller> {
    await host.must('mkdir', FOLDER)
    await host.must('mkfifo', '-m', '600', FIFO)
    await host.writeFile(`${FOLDER}/script`, `#!/bin/sh\necho "$@" >> ${DIARY}\n`, 0o755)
    await host.writeFile(DIARY, '')
    await host.writeFile(HEALTHY, '')
    await host.writeFile(CONFIG, configOf(priority))
    const reader = await host.spawn('cat', [FIFO])
    return new Teller(host, reader, () => start(host, CONFIG))
  }

  get lines(): readonly string[] {
    return this.#reader.lines.entries.map(({ text }) => text)
  }

  async start(): Promise<void> {
    this.#process = await this.#begin()
  }

  async stop(): Promise<void> {
    await this.#process?.stop('SIGTERM', WAIT_MS)
  }

  /** Waits until the group has told all of these states; a later wait is for later lines. */
  async groupTold(states: string): Promise<void> {
    for (const state of states.split(' ').filter(Boolean)) await this.groupSays(state)
    this.#mark = this.#reader.lines.mark
  }

  async groupSays(state: string): Promise<void> {
    const line = `GROUP "pair" ${state} 0`
    await this.#reader.lines.waitFor(({ text }) => text === line, line, WAIT_MS, this.#mark)
  }
}

/** The lines of one director that the story is to have: those of the members in any order, then the group's. */
export function linesOf(states: readonly string[], priority: number): readonly string[] {
  return states
    .flatMap((each) => each.split(' ').filter(Boolean))
    .flatMap((state) => [
      `INSTANCE "inside" ${state} ${priority}`,
      `INSTANCE "outside" ${state} ${priority}`,
      `GROUP "pair" ${state} 0`
    ])
}

/** Sorts the two lines of the members before each line of the group. */
export function membersSorted(lines: readonly string[]): readonly string[] {
  const sorted: string[] = []
  let members: string[] = []
  for (const line of lines) {
    if (line.startsWith('INSTANCE ')) {
      members.push(line)
      continue
    }
    sorted.push(...members.sort(), line)
    members = []
  }
  return [...sorted, ...members.sort()]
}

function configOf(priority: number): string {
  const router = (
    name: string,
    device: string,
    vrid: number,
    vip: string,
    more: string
  ): string => `
vrrp_instance ${name} {
  state BACKUP
  interface ${device}
  virtual_router_id ${vrid}
  priority ${priority}
  virtual_ipaddress {
    ${vip}/24
  }
  ${more}
}
`
  return `
global_defs {
  script_user root
  vrrp_notify_fifo ${FIFO}
}
vrrp_script healthy {
  script "/usr/bin/test -e ${HEALTHY}"
  interval 1
  fall 1
  rise 1
}
vrrp_sync_group pair {
  group {
    inside
    outside
  }
  notify_master "${FOLDER}/script master"
  notify_backup "${FOLDER}/script backup"
  notify_fault "${FOLDER}/script fault"
  notify_stop "${FOLDER}/script stop"
}
${router('inside', SECOND_INTERFACE, 52, SECOND_VIP, 'track_script {\n    healthy\n  }')}
${router('outside', 'ens160', 51, VIP, '')}
`
}

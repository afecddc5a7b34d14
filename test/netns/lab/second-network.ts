import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Host } from './host.js'
import type { HostName, Lab } from './lab.js'
import { CLEAN_ENVIRONMENT } from './lab-process.js'

/** The interface of every machine in the second network. */
export const SECOND_INTERFACE = 'ens192'
/** The virtual address there. */
export const SECOND_VIP = '10.0.0.200'

const TIMEOUT_MS = 10_000
const ADDRESSES = { director1: 1, director2: 2, client: 10 } as const

/** A machine that can be in the second network. */
export type SecondName = keyof typeof ADDRESSES & HostName

/** Gives machines of a lab a second interface, `ens192`, on a second switch: 10.0.0.0/24. */
export async function laySecondNetwork(lab: Lab, names: readonly SecondName[]): Promise<void> {
  const hub = lab.host('switch')
  await hub.must('ip', 'link', 'add', 'br1', 'type', 'bridge', 'stp_state', '0')
  await hub.must('ip', 'link', 'set', 'br1', 'type', 'bridge', 'forward_delay', '0')
  await hub.must('ip', 'link', 'set', 'br1', 'up')
  for (const name of names) {
    const host = lab.host(name)
    const cable = `link add ${SECOND_INTERFACE} type veth peer name ${portOf(name)} netns ${hub.pid}`
    await fromHere(host, cable.split(' '))
    await hub.must('ip', 'link', 'set', 'dev', portOf(name), 'master', 'br1', 'up')
    await host.must('ip', 'addr', 'add', `10.0.0.${ADDRESSES[name]}/24`, 'dev', SECOND_INTERFACE)
    await host.must('ip', 'link', 'set', SECOND_INTERFACE, 'up')
  }
}

/** Takes the carrier of a machine's second interface away, or gives it back. */
export async function setSecondLink(lab: Lab, name: SecondName, isUp: boolean): Promise<void> {
  await lab.host('switch').must('ip', 'link', 'set', 'dev', portOf(name), isUp ? 'up' : 'down')
}

/** Name of its port at the switch. */
function portOf(name: SecondName): string {
  return `${name}b`
}

/** `ip` in the network of a machine, but among the caller's processes: it names another namespace. */
async function fromHere(host: Host, words: readonly string[]): Promise<void> {
  const args = ['--target', String(host.pid), '--net', 'ip', ...words]
  const child = spawn('nsenter', args, {
    env: CLEAN_ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: TIMEOUT_MS
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`ip ${words.join(' ')} for ${host.name} failed`)
}

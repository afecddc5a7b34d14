import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { applyScheduling } from '../../src/linux/scheduling.js'

const skip = process.getuid?.() === 0 ? false : 'needs root'

interface Stat {
  readonly nice: number
  readonly realtimePriority: number
  /** 0 is SCHED_OTHER, 2 is SCHED_RR. */
  readonly policy: number
}

/** Fields of proc(5), counted from behind the name, which may hold anything. */
function parseStat(stat: string): Stat {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return {
    nice: Number(fields[16]),
    realtimePriority: Number(fields[37]),
    policy: Number(fields[38])
  }
}

const ofSelf = (): Stat => parseStat(readFileSync('/proc/self/stat', 'latin1'))
const ofChild = (): Stat =>
  parseStat(execFileSync('cat', ['/proc/self/stat'], { encoding: 'latin1' }))
const ORDINARY = { nice: 0, realtimePriority: 0, policy: 0 }

t.test('who may not is told why, and goes on', { skip }, (t) => {
  process.seteuid?.(65_534)
  const refused = applyScheduling({ nice: -20, realtimePriority: 50, lockMemory: false })
  process.seteuid?.(0)
  t.strictSame(refused, [
    'nice -20 is refused: needs root or CAP_SYS_NICE',
    'realtime priority 50 is refused: needs root or CAP_SYS_NICE'
  ])
  t.strictSame(ofSelf(), ORDINARY)
  t.end()
})

t.test('what is not wanted is left alone', { skip }, (t) => {
  t.strictSame(applyScheduling({ nice: 0, realtimePriority: null, lockMemory: false }), [])
  t.strictSame(ofSelf(), ORDINARY)
  t.end()
})

t.test('nice is for every thread of ours, and for no child', { skip }, (t) => {
  t.strictSame(applyScheduling({ nice: -20, realtimePriority: null, lockMemory: false }), [])
  t.strictSame(ofSelf(), { ...ORDINARY, nice: -20 })
  const threads = readdirSync('/proc/self/task').map((id) =>
    parseStat(readFileSync(`/proc/self/task/${id}/stat`, 'latin1'))
  )
  t.ok(threads.length > 1, 'V8 has threads')
  t.strictSame(new Set(threads.map(({ nice }) => nice)), new Set([-20]))
  t.strictSame(ofChild(), ORDINARY)
  t.end()
})

t.test('realtime is for our thread, and for no child', { skip }, (t) => {
  t.strictSame(applyScheduling({ nice: -20, realtimePriority: 50, lockMemory: false }), [])
  t.strictSame(ofSelf(), { nice: -20, realtimePriority: 50, policy: 2 })
  t.strictSame(ofChild(), ORDINARY)
  t.end()
})

t.test('the code is locked, V8’s memory is not', { skip }, (t) => {
  t.strictSame(applyScheduling({ nice: 0, realtimePriority: null, lockMemory: true }), [])
  const maps = readFileSync('/proc/self/smaps', 'latin1').split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)
  const isLocked = (map: string): boolean => / lo\b/.test(/^VmFlags:.*$/m.exec(map)?.[0] ?? '')
  const code = maps.filter((map) => map.split('\n', 1)[0]?.endsWith(process.execPath))
  t.ok(code.length > 0)
  t.strictSame(
    code.filter((map) => !isLocked(map)),
    []
  )
  const anonymous = maps.filter((map) => /^\S+ \S+ \S+ \S+ 0 *\n/.test(map))
  t.ok(anonymous.length > 0)
  t.strictSame(anonymous.filter(isLocked), [])
  t.match(execFileSync('cat', ['/proc/self/status'], { encoding: 'latin1' }), /VmLck:\s+0 kB/)
  t.end()
})

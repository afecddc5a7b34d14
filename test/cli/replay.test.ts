import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { replay } from '../../src/cli/replay.js'
import { ConfigError } from '../../src/errors.js'

const HEADER =
  '{"type":"header","time":"2026-11-23T12:00:00.000Z","at_ms":1000,"format":1,"tsha":"0.1.0","role":"master","router_id":"lb1","pid":77}'
const ROUTER =
  '{"type":"virtual-router","time":"2026-11-23T12:00:00.000Z","at_ms":1000,"begins":true,' +
  '"settings":{"name":"nginx","vrid":51,"version":2,"family":"ipv4","advert_interval_ms":1000,' +
  '"down_timer_adverts":3,"primary_address":"192.0.2.1","addresses":["192.0.2.9"],"preempts":true,' +
  '"preempt_delay_ms":0,"is_owner":false,"ignores_adverts":false,"starts_as_master":true,' +
  '"answers_lower_priority":true,"yields_with_advert":false,"announcements":{"delay_ms":5000,' +
  '"refresh_ms":0,"lower_priority_delay_ms":5000},"makes_before_break":true,"is_grouped":false},' +
  '"state":{"name":"initialize","priority":100,"service_up":true}}'
const STARTUP =
  '{"type":"step","time":"2026-11-23T12:00:00.500Z","at_ms":1500,"virtual_router":"nginx",' +
  '"event":{"kind":"startup"},"state":{"name":"backup","priority":100,"service_up":true,' +
  '"master_down_at_ms":5109.375,"master_resigned":false,"master_advert_interval_ms":1000,' +
  '"preempt_at_ms":null,"wants_master":false},"reason":"startup","actions":["remove-addresses"]}'
const TIMER =
  '{"type":"step","time":"2026-11-23T12:00:04.110Z","at_ms":5110,"virtual_router":"nginx",' +
  '"event":{"kind":"timer"},"state":{"name":"master","priority":100,"service_up":true,' +
  '"advert_at_ms":6110,"answer_at_ms":5110,"second_burst":{"at_ms":10110,"kind":"mastery"},' +
  '"refresh_at_ms":null,"hand_over":null,"rival":null},"reason":"master-down-expired",' +
  '"actions":["advertise 100","add-addresses","announce mastery"]}'

const GOOD = [HEADER, ROUTER, STARTUP, TIMER]

async function fileOf(t: Test, lines: readonly string[]): Promise<string> {
  const file = join(t.testdir(), 'recording.jsonl')
  await writeFile(file, lines.map((line) => `${line}\n`).join(''))
  return file
}

/** What a file that cannot be replayed is refused with. */
async function refusal(t: Test, lines: readonly string[]): Promise<readonly string[]> {
  const file = await fileOf(t, lines)
  try {
    await replay({ file, verbose: false })
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.problems.map(({ position, message }) => `${position?.line}: ${message}`)
    }
    throw error
  }
  return []
}

void t.test('a recording whose decisions come out the same', async (t) => {
  const file = await fileOf(t, GOOD)
  t.same(await replay({ file, verbose: false }), {
    text: 'virtual router nginx: 2 steps agree\n',
    code: 0
  })
})

void t.test('--verbose tells the story', async (t) => {
  const file = await fileOf(t, GOOD)
  const { text } = await replay({ file, verbose: true })
  t.same(text.split('\n'), [
    '2026-11-23 12:00:00.000  tsha              0.1.0, master, router ID lb1',
    '2026-11-23 12:00:00.000  nginx             begins: initialize',
    '2026-11-23 12:00:00.500  nginx             startup -> backup (startup): remove-addresses',
    '2026-11-23 12:00:04.110  nginx             timer -> master (master-down-expired): advertise 100, add-addresses, announce mastery',
    'virtual router nginx: 2 steps agree',
    ''
  ])
})

void t.test('the first decision that comes out differently is shown, with its line', async (t) => {
  const earlier = TIMER.replace('"at_ms":5110', '"at_ms":5109')
  const file = await fileOf(t, [HEADER, ROUTER, STARTUP, earlier])
  const { text, code } = await replay({ file, verbose: false })
  t.equal(code, 1)
  const lines = text.split('\n')
  t.equal(lines[0], 'virtual router nginx: 1 step agrees')
  t.equal(lines[1], `${file}:4: virtual router nginx comes out differently`)
  t.match(lines[2], /^ {2}recorded \{"state":\{"name":"master"/)
  t.match(lines[3], /^ {2}replayed \{"state":\{"name":"backup"/)
})

void t.test('an action that is missing is a difference', async (t) => {
  const file = await fileOf(t, [HEADER, ROUTER, STARTUP, TIMER.replace('"add-addresses",', '')])
  t.equal((await replay({ file, verbose: false })).code, 1)
})

void t.test('everything that is wrong with a file is told, with its lines', async (t) => {
  const lines = [
    HEADER,
    '{"type":"step"',
    '[]',
    '{"type":"flight"}',
    STARTUP.replace('"kind":"startup"', '"kind":"begin"'),
    STARTUP.replace('"priority":100', '"priority":"high"'),
    STARTUP.replace('"master_resigned":false,', ''),
    STARTUP.replace('"reason"', '"because":1,"reason"')
  ]
  t.same(await refusal(t, lines), [
    '2: found no JSON, expected one JSON object',
    '3: found [], expected an object',
    '4: type: found "flight", expected one of header, segment, virtual-router, step, sync-group, peer, peer-event, check, check-result, gap, gap-end, note',
    '5: event: kind: found "begin", expected one of startup, shutdown, timer, advertisement, conditions, fault, fault-cleared, addresses-lost, announce-again, group-master, group-backup',
    '6: state: priority: found "high", expected a number',
    '7: state: master_resigned is missing',
    '8: because is not known here'
  ])
})

void t.test('a file of another format, an empty one, and one without a beginning', async (t) => {
  t.same(await refusal(t, [HEADER.replace('"format":1', '"format":2')]), [
    '1: format: found 2, expected one of 1'
  ])
  t.same(await refusal(t, []), ['1: the file is empty, expected a recording of tsha'])
  t.same(await refusal(t, [ROUTER]), [
    '1: found virtual-router, expected the header of a recording'
  ])
  t.same(await refusal(t, [HEADER, STARTUP]), [
    '2: the state of virtual router nginx before it is not recorded'
  ])
})

void t.test('thousands of broken lines are counted, not told', async (t) => {
  const problems = await refusal(t, [HEADER, ...Array.from({ length: 5000 }, () => '{')])
  t.equal(problems.length, 21)
  t.equal(problems.at(-1), '5001: 4980 more lines cannot be read')
})

void t.test('a file that is not there', async (t) => {
  await t.rejects(
    replay({ file: '/nowhere/recording.jsonl', verbose: false }),
    /^tsha: cannot read \/nowhere\/recording.jsonl: ENOENT.* \[TSHA_E_FILE\]$/
  )
})

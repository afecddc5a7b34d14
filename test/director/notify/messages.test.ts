import t from 'tap'
import type { Command, Notify } from '../../../src/config/model.js'
import {
  fifoLine,
  programsFor,
  toldChange,
  type NotifyState
} from '../../../src/director/notify/messages.js'

const command = (...words: readonly string[]): Command => ({
  command: words,
  user: null,
  group: null
})

const NOTIFY: Notify = {
  master: command('/m', '1'),
  backup: command('/b'),
  fault: command('/f'),
  stop: command('/s'),
  deleted: command('/d'),
  any: command('/any', 'x y'),
  masterRxLowerPriority: command('/rx')
}

t.test('keepalived 2.2.7: the lines of the pipe', (t) => {
  t.equal(fifoLine('INSTANCE', 'VI_1', 'MASTER', 100), 'INSTANCE "VI_1" MASTER 100\n')
  t.equal(fifoLine('GROUP', 'G1', 'FAULT', 100), 'GROUP "G1" FAULT 0\n')
  t.equal(
    fifoLine('INSTANCE', 'VI_2', 'MASTER_PRIORITY', 130),
    'INSTANCE "VI_2" MASTER_PRIORITY 130\n'
  )
  t.end()
})

t.test(
  'keepalived: the script of the state, then notify with kind, name, state and priority',
  (t) => {
    const run = (state: NotifyState): readonly (readonly string[])[] =>
      programsFor({ kind: 'INSTANCE', name: 'VI_1', state, priority: 100 }, NOTIFY).map(
        (program) => program.command
      )
    t.same(run('MASTER'), [
      ['/m', '1'],
      ['/any', 'x y', 'INSTANCE', 'VI_1', 'MASTER', '100']
    ])
    t.same(run('BACKUP')[0], ['/b'])
    t.same(run('FAULT')[0], ['/f'])
    t.same(run('STOP')[0], ['/s'])
    t.same(run('DELETED'), [['/d'], ['/any', 'x y', 'INSTANCE', 'VI_1', 'DELETED', '100']])
    const group = { kind: 'GROUP', name: 'G1', state: 'BACKUP', priority: 100 } as const
    t.same(programsFor(group, NOTIFY)[1]?.command.slice(2), ['GROUP', 'G1', 'BACKUP', '0'])
    t.same(programsFor(group, { ...NOTIFY, backup: null, any: null }), [])
    t.end()
  }
)

t.test('keepalived: a deleted virtual router is in fault for who has no notify_deleted', (t) => {
  const change = { kind: 'INSTANCE', name: 'VI_1', state: 'DELETED', priority: 100 } as const
  t.equal(toldChange(change, NOTIFY).state, 'DELETED')
  t.equal(toldChange(change, { ...NOTIFY, deleted: null }).state, 'FAULT')
  t.end()
})

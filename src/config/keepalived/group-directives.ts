import { elementsOf } from '../source.js'
import { flag, newDraft } from './draft.js'
import type { Draft } from './draft.js'
import type { OwnWeights } from './check-blocks.js'
import { NOTIFY_DIRECTIVES } from './notify-directives.js'
import type { Statement } from './parser.js'
import type { Directives, StatementReader } from './statement-reader.js'
import { trackDirectives } from './track-blocks.js'

/** What a group says of its members, by the member's name: whether changes of priority are told. */
export type MemberDefaults = Map<string, boolean>

/** A `vrrp_sync_group` that is being read. */
interface GroupDraft extends Draft {
  tellsPriority: boolean | null
}

/** The directives of `vrrp_sync_group` that are read, besides those that track. */
export const GROUP_DIRECTIVES: Directives<GroupDraft> = {
  ...NOTIFY_DIRECTIVES,
  group: {
    takes: 'block',
    read: (line, draft, reader) => {
      reader.place([...draft.path, 'members'], line)
      const names = (line.block ?? []).flatMap(({ keyword, args, position }) => [
        { text: keyword, position },
        ...args
      ])
      draft.value['members'] = names.map(({ text, position }, index) => {
        reader.placeEntry([...draft.path, 'members', index], 'group', position)
        return text
      })
    }
  },
  notify_priority_changes: {
    takes: 'flag',
    read: (line, draft, reader) => {
      draft.tellsPriority = reader.isOn(line)
    }
  },
  global_tracking: flag('tracking_weight', true, false),
  sync_group_tracking_weight: flag('tracking_weight', true, false)
}

/** Reads a `vrrp_sync_group` into `groups`, and what it says of its members into `members`. */
export function readGroup(
  statement: Statement,
  reader: StatementReader,
  groups: Record<string, unknown>,
  weights: OwnWeights,
  members: MemberDefaults
): void {
  const name = reader.name(statement, groups)
  if (name === undefined) return
  const draft: GroupDraft = { ...newDraft(['sync_groups', name], reader), tellsPriority: null }
  groups[name] = draft.value
  reader.place(draft.path, statement)
  reader.placeEntry([...draft.path, 'members'], 'group', statement.position)
  const directives = { ...GROUP_DIRECTIVES, ...trackDirectives(weights) }
  reader.block(statement, 'vrrp_sync_group', directives, draft)
  for (const member of elementsOf(draft.value['members'])) {
    if (draft.tellsPriority !== null) members.set(String(member), draft.tellsPriority)
  }
}

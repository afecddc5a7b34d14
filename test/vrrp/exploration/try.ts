import { explore } from './explore.js'
import { CLASSES, firstWorlds, limitsOf, settingOf } from './classes.js'
for (const c of CLASSES.filter(
  (c) => !process.argv[2] || `${c.group.name} ${c.name}`.includes(process.argv[2])
)) {
  const t = performance.now()
  const setting = settingOf(c)
  const e = explore(
    setting,
    firstWorlds(c, setting),
    limitsOf(c),
    Number(process.argv[4] ?? 400000)
  )
  console.log(
    c.group.name,
    '|',
    c.name,
    '|',
    e.states,
    e.transitions,
    e.isComplete,
    JSON.stringify(e.longest),
    (performance.now() - t).toFixed(0)
  )
  if (e.found)
    console.log(
      e.found.invariant,
      e.found.text,
      '\n',
      e.found.trace.slice(-Number(process.argv[3] ?? 24)).join('\n ')
    )
}

import { byId } from './dom.js'

const KEY = 'tsha-theme'

/**
 * Light or dark, as the system has it or as it was chosen here.
 *
 * @param {() => void} changed
 */
export function followTheme(changed) {
  const choice = byId('theme', HTMLSelectElement)
  const system = matchMedia('(prefers-color-scheme: dark)')
  const apply = () => {
    const isDark = choice.value === 'dark' || (choice.value === 'system' && system.matches)
    document.documentElement.dataset['theme'] = isDark ? 'dark' : 'light'
    changed()
  }
  const known = localStorage.getItem(KEY)
  if (known === 'light' || known === 'dark') choice.value = known
  choice.addEventListener('change', () => {
    localStorage.setItem(KEY, choice.value)
    apply()
  })
  system.addEventListener('change', apply)
  apply()
}

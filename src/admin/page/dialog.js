/** @import { Action } from './actions.js' */
import { perform, Refusal } from './api.js'
import { byId, show } from './dom.js'
import { el } from './element.js'
import { plain } from './words.js'

/** Asks before anything is done, says what will happen, and then what did. */
export class ActionDialog {
  #dialog = byId('dialog', HTMLDialogElement)
  #title = byId('dialog-title', HTMLElement)
  #body = byId('dialog-body', HTMLElement)
  #confirm = byId('dialog-confirm', HTMLButtonElement)
  #cancel = byId('dialog-cancel', HTMLButtonElement)
  /** @type {Action | null} */
  #action = null

  constructor() {
    this.#confirm.addEventListener('click', () => {
      void this.#perform()
    })
    this.#cancel.addEventListener('click', () => {
      this.#dialog.close()
    })
    this.#dialog.addEventListener('close', () => {
      this.#action = null
    })
  }

  /** @param {Action} action */
  ask(action) {
    this.#action = action
    this.#title.textContent = action.title
    show(this.#body, [
      ...action.warnings.map((text) => el('p', { class: 'caution' }, text)),
      ...action.sentences.map((text) => el('p', {}, text))
    ])
    this.#confirm.textContent = action.verb
    this.#confirm.hidden = false
    this.#confirm.disabled = false
    this.#cancel.textContent = 'Cancel'
    this.#dialog.showModal()
    this.#cancel.focus()
  }

  async #perform() {
    const action = this.#action
    if (action === null) return
    this.#confirm.disabled = true
    this.#cancel.textContent = 'Close'
    this.#cancel.focus()
    show(this.#body, [el('p', {}, 'Waiting for the answer of the director …')])
    const answer = await this.#answerTo(action)
    // Somebody who closed it meanwhile may have asked for something else.
    if (this.#action !== action) return
    this.#confirm.hidden = true
    show(this.#body, [
      el('p', { class: answer.isDone ? 'done' : 'caution' }, answer.isDone ? 'Done:' : 'Refused:'),
      el('ul', { class: 'answer' }, ...answer.lines.map((line) => el('li', {}, plain(line))))
    ])
  }

  /** @param {Action} action */
  async #answerTo(action) {
    try {
      return { isDone: true, lines: await perform(action) }
    } catch (error) {
      if (error instanceof Refusal) {
        return { isDone: false, lines: error.lines.length > 0 ? error.lines : [error.message] }
      }
      return { isDone: false, lines: ['The director did not answer; it may still be done.'] }
    }
  }
}

/** @import { PeerStatus, Status, VirtualRouterStatus } from '../model.js' */
import { count, plain } from './words.js'

/**
 * Something a director can be told, with what has to be said before.
 *
 * @typedef {{
 *   readonly path: string,
 *   readonly body: Readonly<Record<string, unknown>> | null,
 *   readonly title: string,
 *   readonly sentences: readonly string[],
 *   readonly warnings: readonly string[],
 *   readonly verb: string
 * }} Action
 */

/**
 * The action of a button, judged by what is known now; null when what it names is gone.
 *
 * @param {Readonly<Record<string, string | undefined>>} order the data of the button
 * @param {Status} status
 * @returns {Action | null}
 */
export function actionOf(order, status) {
  const router = status.virtual_routers.find(({ name }) => name === order['router'])
  switch (order['action']) {
    case 'reload':
      return reload(status)
    case 'step-down':
      return router ? stepDown(router) : null
    case 'resume':
      return router ? resume(router) : null
    case 'peer':
      return peerAction(order, status)
    default:
      return null
  }
}

/**
 * @param {Status} status
 * @returns {Action}
 */
function reload({ configuration }) {
  return {
    path: '/v1/reload',
    body: null,
    title: 'Reload the configuration?',
    sentences: [
      `${plain(configuration.files.join(', '))} will be read anew and what differs is applied.`,
      'A configuration with mistakes changes nothing, and you are told all of them.'
    ],
    warnings: [],
    verb: 'Reload'
  }
}

/**
 * @param {VirtualRouterStatus} router
 * @returns {Action}
 */
function stepDown({ name, state, addresses }) {
  const holds = state === 'master'
  const what = addresses.map((address) => address.replace(/\/\d+$/, '')).join(', ')
  return {
    path: `/v1/virtual-routers/${encodeURIComponent(name)}/step-down`,
    body: null,
    title: `Step ${plain(name)} down?`,
    sentences: [
      holds
        ? plain(
            `${what} will be handed over to the partner, if it takes over; otherwise this director goes on.`
          )
        : 'This director is not master; it will not become master while another director is.',
      'It stands back until somebody resumes it, or until tsha is restarted.'
    ],
    warnings: holds ? [] : ['If the partner fails, this director still takes over.'],
    verb: 'Step down'
  }
}

/**
 * @param {VirtualRouterStatus} router
 * @returns {Action}
 */
function resume({ name, configured_priority, priority_override }) {
  return {
    path: `/v1/virtual-routers/${encodeURIComponent(name)}/resume`,
    body: null,
    title: `Let ${plain(name)} resume?`,
    sentences: [
      `It takes part in the election again with priority ${priority_override ?? configured_priority}, less what its checks take from it.`,
      'If that is more than the priority of the master, and preemption is configured, it takes the addresses.'
    ],
    warnings: [],
    verb: 'Resume'
  }
}

/**
 * @param {Readonly<Record<string, string | undefined>>} order
 * @param {Status} status
 * @returns {Action | null}
 */
function peerAction(order, { proxy }) {
  const upstream = proxy?.upstreams.find(({ name }) => name === order['upstream'])
  const peer = upstream?.peers.find(({ name }) => name === order['peer'])
  const wish = order['wish']
  if (!upstream || !peer || (wish !== 'up' && wish !== 'down' && wish !== 'drain')) return null
  const others = upstream.peers.filter((each) => each !== peer && each.state === 'up').length
  const texts = PEER_TEXTS[wish](peer, plain(upstream.name))
  const isLast = wish !== 'up' && others === 0
  return {
    path: `/v1/upstreams/${encodeURIComponent(upstream.name)}/peers/${encodeURIComponent(peer.name)}`,
    body: { state: wish },
    ...texts,
    sentences: [
      ...texts.sentences,
      ...(wish === 'up'
        ? []
        : [
            `${count(others, 'other peer')} of ${plain(upstream.name)} ${others === 1 ? 'is' : 'are'} up.`
          ])
    ],
    warnings: isLast
      ? [`No peer of ${plain(upstream.name)} will be up: clients will get errors.`]
      : []
  }
}

/** @type {Readonly<Record<'up' | 'drain' | 'down', (peer: PeerStatus, upstream: string) => Pick<Action, 'title' | 'sentences' | 'verb'>>>} */
const PEER_TEXTS = {
  drain: ({ name, traffic }, upstream) => ({
    title: `Drain ${plain(name)}?`,
    sentences: [
      `It gets no new requests of ${upstream}. ${count(traffic.in_flight, 'request')} in flight ${traffic.in_flight === 1 ? 'is' : 'are'} finished; its check goes on.`
    ],
    verb: 'Drain'
  }),
  down: ({ name, traffic }, upstream) => ({
    title: `Take ${plain(name)} down?`,
    sentences: [
      `It gets no new requests of ${upstream} and is not checked. ${count(traffic.in_flight, 'request')} in flight ${traffic.in_flight === 1 ? 'is' : 'are'} finished.`
    ],
    verb: 'Take down'
  }),
  up: ({ name, state }, upstream) => ({
    title: `Put ${plain(name)} up?`,
    sentences: [
      state === 'up'
        ? `It takes requests of ${upstream} already; what failed is forgotten.`
        : `It takes requests of ${upstream} again, and what failed is forgotten.`
    ],
    verb: 'Put up'
  })
}

import type { LoadOptions } from '../config/load.js'
import type { Flag, ValuesOf } from './definition.js'

/*
 * The flags that several commands have in common.
 */

export const DEFAULT_CONFIG = '/etc/tsha/tsha.yaml'

/** Where the configuration is. */
export const CONFIG_FLAGS = {
  role: {
    type: 'string',
    choices: ['master', 'backup'],
    value: 'ROLE',
    describe: 'which of the two directors this one is'
  },
  config: {
    type: 'string',
    value: 'FILE',
    conflicts: ['keepalived-conf', 'nginx-conf'],
    describe: `configuration file (default ${DEFAULT_CONFIG})`
  },
  'keepalived-conf': {
    type: 'string',
    value: 'FILE',
    describe: 'keepalived.conf to use instead; alone: VRRP only, no proxy'
  },
  'nginx-conf': {
    type: 'string',
    value: 'FILE',
    describe: 'nginx.conf to use instead; alone: a reverse proxy only'
  }
} as const satisfies Readonly<Record<string, Flag>>

/** What a director that runs serves to administrators. */
export const ADMIN_FLAGS = {
  'admin-socket': {
    type: 'string',
    value: 'PATH',
    describe: 'unix socket for administrators, or off (default /run/tsha/admin.sock)'
  },
  'admin-listen': {
    type: 'string',
    value: 'ADDRESS:PORT',
    describe: 'loopback address and port for administrators, such as 127.0.0.1:9112'
  },
  'admin-token-file': {
    type: 'string',
    value: 'FILE',
    describe: 'file with the token that requests to that port need'
  }
} as const satisfies Readonly<Record<string, Flag>>

/** Which director is asked. */
export const TARGET_FLAGS = {
  socket: {
    type: 'string',
    value: 'PATH',
    conflicts: ['url'],
    describe: 'admin socket of the director (default $TSHA_SOCKET, else /run/tsha/admin.sock)'
  },
  url: {
    type: 'string',
    value: 'URL',
    describe: 'admin API of a director over TCP, such as https://director1:9112'
  },
  'token-file': {
    type: 'string',
    value: 'FILE',
    describe: 'with --url: file with the token that the director asks for'
  },
  ca: {
    type: 'string',
    value: 'FILE',
    describe: 'with --url: PEM file of who signed its certificate'
  },
  timeout: {
    type: 'string',
    value: 'DURATION',
    describe: 'how long to wait for an answer (default 5s, 95s for what takes its time)'
  }
} as const satisfies Readonly<Record<string, Flag>>

export type ConfigValues = ValuesOf<object, typeof CONFIG_FLAGS>

/** What the flags say about where the configuration is. */
export function loadOptions(values: ConfigValues): LoadOptions {
  const { role = null, config } = values
  const keepalivedConf = values['keepalived-conf']
  const nginxConf = values['nginx-conf']
  const usesOldFiles = keepalivedConf !== undefined || nginxConf !== undefined
  return {
    role,
    ...(usesOldFiles ? {} : { config: config ?? DEFAULT_CONFIG }),
    ...(keepalivedConf === undefined ? {} : { keepalivedConf }),
    ...(nginxConf === undefined ? {} : { nginxConf })
  }
}

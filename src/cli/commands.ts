import { ACT_COMMANDS } from './commands-act.js'
import { LOOK_COMMANDS } from './commands-look.js'
import { define, type CommandDefinition } from './definition.js'
import { ADMIN_FLAGS, CONFIG_FLAGS, DEFAULT_CONFIG, loadOptions } from './flags.js'

const run = define({
  name: 'run',
  group: 'The director',
  isDefault: true,
  endsAtOnce: true,
  describe: 'run a director in the foreground (the default command)',
  details: [
    'It stops on SIGTERM and SIGINT: a master hands its addresses over first, and a second signal ends the wait for the partner. SIGHUP reads the configuration anew, SIGUSR1 reopens the logs, SIGUSR2 replaces the workers.'
  ],
  positionals: {},
  flags: { ...CONFIG_FLAGS, ...ADMIN_FLAGS },
  examples: [
    { command: 'tsha --role master', describe: `the master, configured by ${DEFAULT_CONFIG}` },
    {
      command:
        'tsha --keepalived-conf /etc/keepalived/keepalived.conf --nginx-conf /etc/nginx/nginx.conf',
      describe: 'a director configured by the files of the daemons that it replaces'
    }
  ],
  run: async (values) =>
    (await import('./run.js')).run({
      ...loadOptions(values),
      admin: {
        socket: values['admin-socket'],
        listen: values['admin-listen'],
        tokenFile: values['admin-token-file']
      }
    })
})

const check = define({
  name: 'check',
  group: 'Files and tools',
  describe: 'read the configuration, say what it comes to and change nothing',
  details: [],
  positionals: {},
  flags: CONFIG_FLAGS,
  examples: [
    { command: 'tsha check --role backup', describe: 'what would the other director do?' }
  ],
  run: async (values) => {
    const [{ check: read }, { write }] = await Promise.all([
      import('./check.js'),
      import('./output.js')
    ])
    await write(await read(loadOptions(values)))
    return 0
  }
})

const listen = define({
  name: 'listen',
  group: 'Files and tools',
  endsAtOnce: true,
  describe: 'print every VRRP packet on an interface, and send nothing',
  details: [
    'With --config or --keepalived-conf, packets are judged by the virtual routers of that file; without, by themselves.'
  ],
  positionals: {},
  flags: {
    interface: { type: 'string', value: 'NAME', required: true, describe: 'where to listen' },
    json: { type: 'boolean', describe: 'one JSON object a line' },
    ...CONFIG_FLAGS
  },
  examples: [{ command: 'tsha listen --interface ens160', describe: 'who speaks VRRP here?' }],
  run: async (values) => {
    const { listen: hear } = await import('./listen.js')
    const hasConfig = values.config !== undefined || values['keepalived-conf'] !== undefined
    const load = hasConfig ? loadOptions(values) : null
    return await hear({ interface: values.interface, json: values.json ?? false, load })
  }
})

const replay = define({
  name: 'replay',
  group: 'Files and tools',
  describe: 'make the decisions of a recording again, and compare them',
  details: [
    'The recorded inputs go through the state machine of this version of tsha. The exit code is 1 when a decision comes out differently.'
  ],
  positionals: { file: { describe: 'a recording; - is standard input' } },
  flags: { verbose: { type: 'boolean', alias: 'v', describe: 'tell what happened, too' } },
  examples: [
    {
      command: 'tsha recording | tsha replay --verbose -',
      describe: 'what did the director see, and what did it make of it?'
    }
  ],
  run: async ({ file, verbose = false }) => {
    const [{ replay: again }, { write }] = await Promise.all([
      import('./replay.js'),
      import('./output.js')
    ])
    // yargs makes nothing of a dash that stands alone.
    const { text, code } = await again({ file: file === '' ? '-' : file, verbose })
    await write(text)
    return code
  }
})

const completion = define({
  name: 'completion',
  group: 'Files and tools',
  describe: 'print the script that lets a shell complete commands and names',
  details: [
    'Commands and flags, and the names of virtual routers and peers, which the running director is asked for.'
  ],
  positionals: {
    shell: {
      describe: 'which shell (default: that of $SHELL)',
      optional: true,
      choices: ['bash', 'zsh']
    }
  },
  flags: {},
  examples: [
    {
      command: 'tsha completion bash > /etc/bash_completion.d/tsha',
      describe: 'for everybody who uses bash'
    },
    { command: 'source <(tsha completion bash)', describe: 'for this shell' }
  ],
  run: async ({ shell }) => {
    const [{ completionScript }, { write }] = await Promise.all([
      import('./completion-scripts.js'),
      import('./output.js')
    ])
    const usesZsh = (process.env['SHELL'] ?? '').endsWith('zsh')
    await write(completionScript(shell ?? (usesZsh ? 'zsh' : 'bash')))
    return 0
  }
})

/** Every command of tsha, in the order of the help. */
export const COMMANDS: readonly CommandDefinition[] = [
  ...LOOK_COMMANDS,
  ...ACT_COMMANDS,
  run,
  check,
  listen,
  replay,
  completion
]

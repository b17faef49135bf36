import { Command, CommanderError, Option } from 'commander';
import {
  commandLineInvalid,
  flagWithoutCommand,
  unrecognisedCommand,
  unrecognisedFlag,
} from '../core/errors/configuration.ts';
import type { Flags } from './config/read-configuration.ts';
import { environmentVariable, type Setting, settings } from './config/settings.ts';

/** What the command line asks for. */
export type Invocation =
  | { readonly command: 'start' | 'check'; readonly flags: Flags }
  /** A text to print, and nothing else: help or version. */
  | { readonly command: 'print'; readonly text: string };

const commandNames = ['start', 'check'] as const;

/** Throws a PgError that lists what would have been valid. */
export function parseCommandLine(args: readonly string[], version: string): Invocation {
  let invocation: Invocation | undefined;
  let printed = '';
  const program = prepare(new Command('heliosdb'))
    .description('Streaming verbs for the Postgres you already have.')
    .version(version, '-V, --version', 'print the version')
    .helpCommand(false);
  prepare(program.command('start'))
    .description('run a node: the endpoint, and an embedded Postgres unless told otherwise')
    .addOption(configOption())
    .action((flags: Flags) => {
      invocation = { command: 'start', flags };
    });
  prepare(program.command('check'))
    .description('tell whether an upstream meets the prerequisites, and how to mend it')
    .addOption(configOption())
    .action((flags: Flags) => {
      invocation = { command: 'check', flags };
    });
  for (const command of program.commands) {
    for (const setting of settings) {
      if (command.name() === 'start' || setting.name === 'upstream') {
        command.addOption(optionOf(setting));
      }
    }
  }
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0 || error.code === 'commander.help') {
      return { command: 'print', text: printed };
    }
    throw complaint(error, program, args);
  }
  return invocation ?? { command: 'print', text: program.helpInformation() };

  function prepare(command: Command): Command {
    return command
      .exitOverride()
      .allowExcessArguments(false)
      .configureOutput({
        writeOut: (text) => {
          printed += text;
        },
        writeErr: (text) => {
          printed += text;
        },
        outputError: () => undefined,
      });
  }
}

function configOption(): Option {
  return new Option(
    '--config <FILE>',
    'TOML file; flags win over environment, environment over file (HELIOSDB_CONFIG)',
  );
}

function optionOf(setting: Setting): Option {
  const value = setting.placeholder === undefined ? '' : ` <${setting.placeholder}>`;
  const standard = setting.standard === undefined ? '' : `, default ${setting.standard}`;
  const about = `${setting.about} (${environmentVariable(setting)}${standard})`;
  const option = new Option(`--${setting.flag}${value}`, about);
  // The name in our own table, whatever the flag is called.
  option.attributeName = () => setting.name;
  return option;
}

function flagsOf(command: Command): string[] {
  return [...command.options.map(({ long }) => long ?? ''), '--help'];
}

function complaint(error: CommanderError, program: Command, args: readonly string[]): Error {
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? '';
  const command = program.commands.find((candidate) => args.includes(candidate.name())) ?? program;
  switch (error.code) {
    case 'commander.unknownOption': {
      // A value behind it may be a URL with a password.
      const flag = quoted.replace(/=.*$/s, '');
      const flags = flagsOf(command);
      const owner = program.commands.find((candidate) => flagsOf(candidate).includes(flag));
      return command === program && owner !== undefined
        ? flagWithoutCommand(flag, owner.name())
        : unrecognisedFlag(flag, flags);
    }
    case 'commander.unknownCommand':
      return unrecognisedCommand(/^[\w-]+$/.test(quoted) ? quoted : '***', commandNames);
    default:
      return commandLineInvalid(error.message.replace(/^error: /, '').split('\n')[0] ?? '');
  }
}

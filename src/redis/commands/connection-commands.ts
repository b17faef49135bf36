import {
  helloBeforeAuthentication,
  helloSyntaxError,
  redisDatabaseOutOfRange,
  redisSyntaxError,
  respVersionNotAnInteger,
  unsupportedRespVersion,
  wrongNumberOfArguments,
} from '../../core/errors/redis.ts';
import { bulk, emptyArray, integer, map, ok, type Reply } from '../resp/reply.ts';
import { redisVersion, serverName } from '../version.ts';
import { nameOf } from './client-command.ts';
import { type Call, type Command, textOf } from './command.ts';
import { integerArgument } from './number-argument.ts';

const open = { keys: [0, 0, 0], group: 'connection', isOpen: true } as const;
const shared = { keys: [0, 0, 0], group: 'connection' } as const;

export const connectionCommands: readonly Command[] = [
  {
    ...shared,
    name: 'ping',
    arity: -1,
    flags: ['fast'],
    since: '1.0.0',
    summary: "Returns the server's liveliness response.",
    run: ({ args }) => {
      if (args.length > 1) throw wrongNumberOfArguments('ping');
      return args[0] === undefined ? { kind: 'simple', text: 'PONG' } : bulk(args[0]);
    },
  },
  {
    ...shared,
    name: 'echo',
    arity: 2,
    flags: ['fast'],
    since: '1.0.0',
    summary: 'Returns the given string.',
    run: ({ args }) => bulk(args[0]!),
  },
  {
    ...open,
    name: 'auth',
    arity: -2,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth'],
    since: '1.0.0',
    summary: 'Authenticates the connection.',
    run: authenticate,
  },
  {
    ...open,
    name: 'hello',
    arity: -1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth'],
    since: '6.0.0',
    summary: 'Handshakes with the server.',
    run: greet,
  },
  {
    ...open,
    name: 'quit',
    arity: -1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth'],
    since: '1.0.0',
    summary: 'Closes the connection.',
    run: ({ client }) => {
      client.leaving = 'quit';
      return ok;
    },
  },
  {
    ...open,
    name: 'reset',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth'],
    since: '6.2.0',
    summary: 'Resets the connection.',
    run: ({ client }) => {
      client.reset();
      return { kind: 'simple', text: 'RESET' };
    },
  },
  {
    ...shared,
    name: 'select',
    arity: 2,
    flags: ['loading', 'stale', 'fast'],
    since: '1.0.0',
    summary: 'Changes the selected database; there is only database 0.',
    run: ({ args }) => {
      if (integerArgument(args[0]) !== 0n) throw redisDatabaseOutOfRange();
      return ok;
    },
  },
];

async function authenticate({ args, client, endpoint }: Call): Promise<Reply> {
  if (args.length > 2) throw redisSyntaxError();
  const user = args.length === 1 ? endpoint.services.defaultUser : textOf(args[0]);
  await endpoint.gate.authenticate(client, user, textOf(args.at(-1)));
  return ok;
}

async function greet({ args, client, endpoint }: Call): Promise<Reply> {
  const options = helloOptions(args);
  if (options.credentials !== undefined) {
    const { user, password } = options.credentials;
    await endpoint.gate.authenticate(client, user, password);
  }
  if (client.access === undefined) throw helloBeforeAuthentication();
  if (options.name !== undefined) client.name = options.name;
  if (options.version !== undefined) client.version = options.version;
  return map({
    server: bulk(serverName),
    version: bulk(redisVersion),
    proto: integer(client.version),
    id: integer(client.id),
    mode: bulk('standalone'),
    role: bulk('master'),
    modules: emptyArray,
  });
}

type HelloOptions = {
  version?: 2 | 3;
  credentials?: { readonly user: string; readonly password: string };
  name?: string;
};

function helloOptions(args: readonly Buffer[]): HelloOptions {
  const options: HelloOptions = {};
  if (args[0] === undefined) return options;
  const version = textOf(args[0]);
  if (!/^-?[0-9]{1,18}$/.test(version)) throw respVersionNotAnInteger();
  if (version !== '2' && version !== '3') throw unsupportedRespVersion();
  options.version = version === '2' ? 2 : 3;
  for (let at = 1; at < args.length; ) {
    const option = textOf(args[at]);
    const left = args.length - at - 1;
    if (option.toLowerCase() === 'auth' && left >= 2) {
      options.credentials = { user: textOf(args[at + 1]), password: textOf(args[at + 2]) };
      at += 3;
    } else if (option.toLowerCase() === 'setname' && left >= 1) {
      options.name = nameOf(args[at + 1]);
      at += 2;
    } else throw helloSyntaxError(option);
  }
  return options;
}

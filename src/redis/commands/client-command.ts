import {
  invalidClientAttribute,
  invalidClientName,
  redisSyntaxError,
  unknownClientAttribute,
} from '../../core/errors/redis.ts';
import type { ClientState } from '../client-state.ts';
import { bulk, integer, nothing, ok, type Reply } from '../resp/reply.ts';
import { type Call, type Command, runSubcommand, type Subcommand, textOf } from './command.ts';

/** Others' addresses and users are nobody's business, so LIST has the client itself only. */
const subcommands: Readonly<Record<string, Subcommand>> = {
  id: { arity: 2, run: ({ client }) => integer(client.id) },
  getname: {
    arity: 2,
    run: ({ client }) => (client.name === '' ? nothing : bulk(client.name)),
  },
  setname: {
    arity: 3,
    run: ({ args, client }) => {
      client.name = nameOf(args[0]);
      return ok;
    },
  },
  setinfo: { arity: 4, run: setInfo },
  info: { arity: 2, run: ({ client }) => describe(client) },
  list: { arity: -2, run: ({ client }) => describe(client) },
  'no-evict': { arity: 3, run: ({ args }) => switched(args[0]) },
  'no-touch': { arity: 3, run: ({ args }) => switched(args[0]) },
  reply: { arity: 3, run: setReplyMode },
};

export const clientCommand: Command = {
  name: 'client',
  arity: -2,
  flags: [],
  keys: [0, 0, 0],
  group: 'connection',
  since: '2.4.0',
  summary: 'A container for client connection commands.',
  run: (call) => runSubcommand('client', subcommands, call),
};

/** A name is shown in lists, so it must not look like more than one thing. */
export function nameOf(argument: Buffer | undefined): string {
  const name = textOf(argument);
  if (!isPlain(name)) throw invalidClientName();
  return name;
}

function isPlain(text: string): boolean {
  return /^[!-~]*$/.test(text);
}

function setInfo({ args, client }: Call): Reply {
  const attribute = textOf(args[0]);
  const value = textOf(args[1]);
  const name = attribute.toLowerCase();
  if (name !== 'lib-name' && name !== 'lib-ver') throw unknownClientAttribute(attribute);
  if (!isPlain(value)) throw invalidClientAttribute(name);
  if (name === 'lib-name') client.libraryName = value;
  else client.libraryVersion = value;
  return ok;
}

/** Settings about memory that there is nothing to do for. */
function switched(argument: Buffer | undefined): Reply {
  if (!/^(?:on|off)$/i.test(textOf(argument))) throw redisSyntaxError();
  return ok;
}

function setReplyMode({ args, client }: Call): Reply {
  const mode = textOf(args[0]).toLowerCase();
  if (mode === 'on') client.replyMode = 'on';
  else if (mode === 'off') client.replyMode = 'off';
  else if (mode !== 'skip') throw redisSyntaxError();
  else if (client.replyMode !== 'off') client.replyMode = 'skip-next';
  return ok;
}

function describe(client: ClientState): Reply {
  const age = Math.floor((Date.now() - client.connectedAtMs) / 1_000);
  const fields = {
    id: client.id,
    addr: client.address,
    laddr: client.localAddress,
    name: client.name,
    age,
    idle: 0,
    flags: 'N',
    db: 0,
    cmd: 'client',
    user: client.user,
    resp: client.version,
    'lib-name': client.libraryName,
    'lib-ver': client.libraryVersion,
  };
  const content = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  return { kind: 'verbatim', content: `${content.join(' ')}\n` };
}

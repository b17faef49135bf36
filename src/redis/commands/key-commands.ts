import { invalidScanCursor, redisSyntaxError } from '../../core/errors/redis.ts';
import { parseStreamKey } from '../../protocol/streams/stream-key.ts';
import { matchesGlob } from '../glob.ts';
import { bulk, bulks, integer, nothing, type Reply } from '../resp/reply.ts';
import { listKeys } from '../streams/list-keys.ts';
import { lengthOfStream } from '../streams/stream-length.ts';
import {
  accessOf,
  type Call,
  type Command,
  runSubcommand,
  type Subcommand,
  textOf,
} from './command.ts';
import { integerArgument } from './number-argument.ts';

const ofKey = { flags: ['readonly', 'fast'], keys: [1, 1, 1], group: 'generic' } as const;
const ofAll = { flags: ['readonly'], keys: [0, 0, 0], group: 'generic' } as const;

export const keyCommands: readonly Command[] = [
  {
    ...ofKey,
    name: 'exists',
    arity: -2,
    keys: [1, -1, 1],
    since: '1.0.0',
    summary: 'Determines whether one or more keys exist.',
    run: countExisting,
  },
  {
    ...ofKey,
    name: 'type',
    arity: 2,
    since: '1.0.0',
    summary: 'Determines the type of value stored at a key.',
    run: async (call) => ({
      kind: 'simple',
      text: (await exists(call, call.args[0])) ? 'stream' : 'none',
    }),
  },
  {
    ...ofKey,
    name: 'ttl',
    arity: 2,
    since: '1.0.0',
    summary: 'Returns the expiration time in seconds of a key; streams have none.',
    run: timeToLive,
  },
  {
    ...ofKey,
    name: 'pttl',
    arity: 2,
    since: '2.6.0',
    summary: 'Returns the expiration time in milliseconds of a key; streams have none.',
    run: timeToLive,
  },
  {
    ...ofAll,
    name: 'keys',
    arity: 2,
    since: '1.0.0',
    summary: 'Returns all key names that match a pattern.',
    run: async (call) => bulks(await keysMatching(call, textOf(call.args[0]))),
  },
  {
    ...ofAll,
    name: 'scan',
    arity: -2,
    since: '2.8.0',
    summary: 'Iterates over the key names in the database.',
    run: scan,
  },
  {
    ...ofAll,
    name: 'dbsize',
    arity: 1,
    flags: ['readonly', 'fast'],
    since: '1.0.0',
    summary: 'Returns the number of keys in the database.',
    run: async (call) => integer((await keysMatching(call, '*')).length),
  },
  {
    ...ofAll,
    name: 'object',
    arity: -2,
    since: '2.2.3',
    summary: 'A container for object introspection commands.',
    run: (call) => runSubcommand('object', objectSubcommands, call),
  },
];

const objectSubcommands: Readonly<Record<string, Subcommand>> = {
  encoding: {
    arity: 3,
    run: async (call) => ((await exists(call, call.args[0])) ? bulk('stream') : nothing),
  },
};

async function exists(call: Call, key: Buffer | undefined): Promise<boolean> {
  const ref = parseStreamKey(textOf(key));
  return (await lengthOfStream(ref, call.endpoint.services, accessOf(call))) > 0;
}

async function countExisting(call: Call): Promise<Reply> {
  let count = 0;
  for (const key of call.args) if (await exists(call, key)) count += 1;
  return integer(count);
}

async function timeToLive(call: Call): Promise<Reply> {
  return integer((await exists(call, call.args[0])) ? -1 : -2);
}

async function keysMatching(call: Call, pattern: string): Promise<readonly string[]> {
  const keys = await listKeys(call.endpoint.services, accessOf(call));
  return keys.filter((key) => matchesGlob(pattern, key));
}

/**
 * All keys come with the first call: they are no more than tables, COUNT is a hint, and so each key
 * that is there all the time is returned exactly once.
 */
async function scan(call: Call): Promise<Reply> {
  const [cursor, ...options] = call.args;
  if (!/^[0-9]{1,20}$/.test(textOf(cursor))) throw invalidScanCursor();
  let pattern = '*';
  let isStreamWanted = true;
  for (let at = 0; at < options.length; at += 2) {
    const value = options[at + 1];
    switch (textOf(options[at]).toLowerCase()) {
      case 'match':
        pattern = textOf(value);
        break;
      case 'count':
        if (integerArgument(value) < 1n) throw redisSyntaxError();
        break;
      case 'type':
        isStreamWanted = textOf(value).toLowerCase() === 'stream';
        break;
      default:
        throw redisSyntaxError();
    }
  }
  const isBegin = Number(textOf(cursor)) === 0;
  const keys = isBegin && isStreamWanted ? await keysMatching(call, pattern) : [];
  return { kind: 'array', items: [bulk('0'), bulks(keys)] };
}

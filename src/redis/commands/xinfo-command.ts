import { noSuchConsumerGroup, noSuchKey, redisSyntaxError } from '../../core/errors/redis.ts';
import { redisReadEntriesMax } from '../../core/limits.ts';
import { parseStreamKey } from '../../protocol/streams/stream-key.ts';
import { bulk, emptyArray, integer, map, type Reply } from '../resp/reply.ts';
import { describeStream, type StreamDescription } from '../streams/describe-stream.ts';
import {
  accessOf,
  type Call,
  type Command,
  runSubcommand,
  type Subcommand,
  textOf,
} from './command.ts';
import { integerArgument } from './number-argument.ts';

const subcommands: Readonly<Record<string, Subcommand>> = {
  stream: { arity: -3, run: describe },
  groups: {
    arity: 3,
    run: async (call) => {
      await find(call, 1);
      return emptyArray;
    },
  },
  consumers: {
    arity: 4,
    run: async (call) => {
      await find(call, 1);
      throw noSuchConsumerGroup(textOf(call.args[1]), textOf(call.args[0]));
    },
  },
};

export const xinfoCommand: Command = {
  name: 'xinfo',
  arity: -2,
  flags: ['readonly'],
  keys: [2, 2, 1],
  group: 'stream',
  since: '5.0.0',
  summary: 'A container for stream introspection commands.',
  run: (call) => runSubcommand('xinfo', subcommands, call),
};

async function find(
  { args, client, endpoint }: Call,
  firstMax: number,
): Promise<StreamDescription> {
  const ref = parseStreamKey(textOf(args[0]));
  const access = accessOf({ args, client, endpoint });
  const found = await describeStream(ref, firstMax, endpoint.services, access);
  if (found === undefined) throw noSuchKey();
  return found;
}

/** What Redis tells about how it keeps a stream is told too, since clients read all of it. */
async function describe(call: Call): Promise<Reply> {
  const fullMax = fullCountOf(call.args.slice(1));
  const found = await find(call, fullMax ?? 1);
  const first = found.first[0] === undefined ? bulk('0-0') : idIn(found.first[0]);
  const head = {
    length: integer(found.length),
    'radix-tree-keys': integer(1),
    'radix-tree-nodes': integer(2),
    'last-generated-id': idIn(found.last),
    'max-deleted-entry-id': bulk('0-0'),
    'entries-added': integer(found.length),
    'recorded-first-entry-id': first,
  };
  if (fullMax !== undefined) {
    const entries: Reply = {
      kind: 'encoded-array',
      items: found.first.length,
      parts: found.first,
    };
    return map({ ...head, entries, groups: emptyArray });
  }
  return map({
    ...head,
    groups: integer(0),
    'first-entry': { kind: 'encoded', part: found.first[0] ?? found.last },
    'last-entry': { kind: 'encoded', part: found.last },
  });
}

/** Undefined without FULL. */
function fullCountOf(options: readonly Buffer[]): number | undefined {
  if (options.length === 0) return undefined;
  if (textOf(options[0]).toLowerCase() !== 'full') throw redisSyntaxError();
  if (options.length === 1) return 10;
  if (options.length !== 3 || textOf(options[1]).toLowerCase() !== 'count') {
    throw redisSyntaxError();
  }
  const count = Number(integerArgument(options[2]));
  return count > 0 ? Math.min(count, redisReadEntriesMax) : redisReadEntriesMax;
}

/** The id at the beginning of an encoded entry: behind its two headers. */
function idIn(entry: Buffer): Reply {
  const start = entry.indexOf('\r\n', '*2\r\n'.length) + 2;
  return bulk(entry.subarray(start, entry.indexOf('\r\n', start)));
}

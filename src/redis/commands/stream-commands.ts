import {
  groupIdWithoutGroup,
  invalidIntervalId,
  invalidStreamId,
  negativeTimeout,
  redisSyntaxError,
  tooManyStreams,
  unbalancedStreams,
} from '../../core/errors/redis.ts';
import { redisStreamsPerReadMax, redisTimerMsMax } from '../../core/limits.ts';
import {
  firstStreamId,
  lastStreamId,
  nextStreamId,
  parseStreamId,
  previousStreamId,
  type StreamId,
} from '../../protocol/streams/stream-id.ts';
import { parseStreamKey } from '../../protocol/streams/stream-key.ts';
import { bulk, emptyArray, integer, type Reply } from '../resp/reply.ts';
import { type Range, readRange } from '../streams/range.ts';
import {
  type ReadStreamsRequest,
  type StreamEntries,
  type StreamStart,
  StreamsReading,
} from '../streams/read-streams.ts';
import { lengthOfStream } from '../streams/stream-length.ts';
import { accessOf, type Call, type Command, textOf } from './command.ts';
import { integerArgument } from './number-argument.ts';

const shared = { flags: ['readonly'], keys: [1, 1, 1], group: 'stream', since: '5.0.0' } as const;

export const streamCommands: readonly Command[] = [
  {
    ...shared,
    name: 'xread',
    arity: -4,
    flags: ['readonly', 'blocking', 'movablekeys'],
    keys: [0, 0, 0],
    summary: 'Returns entries of streams with ids greater than those requested. May block.',
    run: readStreams,
  },
  {
    ...shared,
    name: 'xrange',
    arity: -4,
    summary: 'Returns the entries of a stream within a range of ids.',
    run: (call) => range(call, 'forward'),
  },
  {
    ...shared,
    name: 'xrevrange',
    arity: -4,
    summary: 'Returns the entries of a stream within a range of ids in reverse order.',
    run: (call) => range(call, 'backward'),
  },
  {
    ...shared,
    name: 'xlen',
    arity: 2,
    flags: ['readonly', 'fast'],
    summary: 'Returns the number of entries in a stream.',
    run: async (call) => {
      const ref = parseStreamKey(textOf(call.args[0]));
      return integer(await lengthOfStream(ref, call.endpoint.services, accessOf(call)));
    },
  },
];

async function range(call: Call, order: Range['order']): Promise<Reply> {
  const [key, first, second, ...options] = call.args;
  const [start, end] = order === 'forward' ? [first, second] : [second, first];
  const low = lowOf(textOf(start));
  const high = highOf(textOf(end));
  const countMax = countOf(options);
  const ref = parseStreamKey(textOf(key));
  const { services } = call.endpoint;
  const access = accessOf(call);
  if (countMax === 0) {
    const isThere = (await lengthOfStream(ref, services, access)) > 0;
    return isThere ? { kind: 'null-array' } : emptyArray;
  }
  if (ref === undefined) return emptyArray;
  const entries = await readRange(ref, { low, high, countMax, order }, services, access);
  services.metrics.entriesSent(entries.length);
  return entriesReply(entries);
}

/** Of XRANGE and XREVRANGE. Infinity when it is not given. */
function countOf(options: readonly Buffer[]): number {
  let countMax = Number.POSITIVE_INFINITY;
  for (let at = 0; at < options.length; at += 2) {
    const isCount = textOf(options[at]).toLowerCase() === 'count';
    if (!isCount || at + 1 >= options.length) throw redisSyntaxError();
    countMax = Math.max(0, Number(integerArgument(options[at + 1])));
  }
  return countMax;
}

function lowOf(text: string): StreamId {
  if (text.startsWith('(')) {
    const id = nextStreamId(idOf(text.slice(1), 'first'));
    if (id === undefined) throw invalidIntervalId('start');
    return id;
  }
  return boundOf(text, 'first');
}

function highOf(text: string): StreamId {
  if (text.startsWith('(')) {
    const id = previousStreamId(idOf(text.slice(1), 'last'));
    if (id === undefined) throw invalidIntervalId('end');
    return id;
  }
  return boundOf(text, 'last');
}

function boundOf(text: string, missingSeq: 'first' | 'last'): StreamId {
  if (text === '-') return firstStreamId;
  if (text === '+') return lastStreamId;
  return idOf(text, missingSeq);
}

function idOf(text: string, missingSeq: 'first' | 'last'): StreamId {
  const id = parseStreamId(text, missingSeq);
  if (id === undefined) throw invalidStreamId();
  return id;
}

type ReadOptions = ReadStreamsRequest & {
  /** Milliseconds; 0 waits for ever. Undefined: it does not wait. */
  readonly block: number | undefined;
};

async function readStreams(call: Call): Promise<Reply> {
  const request = readOptions(call.args);
  const { services } = call.endpoint;
  const reading = new StreamsReading(request, services, accessOf(call));
  let found = await reading.look();
  if (found.length === 0 && request.block !== undefined) {
    const { block } = request;
    services.metrics.clientBlocked();
    try {
      found = await call.client.whileBlocked((gone) => lookUntilFound(reading, block, gone));
    } finally {
      services.metrics.clientUnblocked();
    }
  }
  if (found.length === 0) return { kind: 'null-array' };
  services.metrics.entriesSent(found.reduce((sum, { entries }) => sum + entries.length, 0));
  return {
    kind: 'keyed',
    entries: found.map(({ key, entries }) => [bulk(key), entriesReply(entries)] as const),
  };
}

async function lookUntilFound(
  reading: StreamsReading,
  block: number,
  gone: AbortSignal,
): Promise<readonly StreamEntries[]> {
  const stop = new AbortController();
  const abort = () => stop.abort();
  gone.addEventListener('abort', abort);
  if (gone.aborted) abort();
  const timer = block === 0 ? undefined : setTimeout(abort, Math.min(block, redisTimerMsMax));
  try {
    while (!stop.signal.aborted) {
      await reading.waitForMore(stop.signal);
      const found = gone.aborted ? [] : await reading.look();
      if (found.length > 0) return found;
    }
    return [];
  } finally {
    clearTimeout(timer);
    gone.removeEventListener('abort', abort);
  }
}

function readOptions(args: readonly Buffer[]): ReadOptions {
  let countMax = Number.POSITIVE_INFINITY;
  let block: number | undefined;
  for (let at = 0; at < args.length; at += 2) {
    const option = textOf(args[at]).toLowerCase();
    if (option === 'streams' && at + 1 < args.length) {
      return { streams: streamsOf(args.slice(at + 1)), countMax, block };
    }
    if (at + 1 >= args.length) throw redisSyntaxError();
    if (option === 'count') {
      const count = Number(integerArgument(args[at + 1]));
      countMax = count > 0 ? count : Number.POSITIVE_INFINITY;
    } else if (option === 'block') {
      block = Number(integerArgument(args[at + 1], 'timeout'));
      if (block < 0) throw negativeTimeout();
    } else throw redisSyntaxError();
  }
  throw redisSyntaxError();
}

function streamsOf(args: readonly Buffer[]): ReadStreamsRequest['streams'] {
  if (args.length % 2 !== 0) throw unbalancedStreams();
  const count = args.length / 2;
  if (count > redisStreamsPerReadMax) throw tooManyStreams(redisStreamsPerReadMax);
  return args.slice(0, count).map((key, index) => ({
    key,
    ref: parseStreamKey(textOf(key)),
    start: startOf(textOf(args[count + index])),
  }));
}

function startOf(text: string): StreamStart {
  if (text === '$') return { kind: 'new' };
  if (text === '+') return { kind: 'last' };
  if (text === '>') throw groupIdWithoutGroup();
  return { kind: 'behind', id: idOf(text, 'first') };
}

function entriesReply(entries: readonly Buffer[]): Reply {
  return { kind: 'encoded-array', items: entries.length, parts: entries };
}

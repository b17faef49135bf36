import { Redis } from 'ioredis';
import type { OpenSink, OutgoingChange, Sink } from '../../../../contracts/sink.ts';
import { sinkDenied, sinkFailed, sinkUnreachable } from '../../../../core/errors/connectors.ts';
import type { PgError } from '../../../../core/errors/pg-error.ts';
import { printChange } from '../../../../protocol/changes/row-json.ts';
import { entryFields, idOfChange } from '../../../../protocol/streams/entry-fields.ts';
import { printStreamId } from '../../../../protocol/streams/stream-id.ts';
import { printStreamKey } from '../../../../protocol/streams/stream-key.ts';
import { Destinations } from '../destination.ts';

const urlStandard = 'redis://localhost:6379';

/**
 * Streams with the keys, ids and fields of the built-in endpoint. Ids come from the changes and
 * only grow, so Redis itself rejects what it has already.
 */
export const openRedisSink: OpenSink = async ({ connector, database, options, logger }) => {
  const url = options['url'] ?? urlStandard;
  const shown = withoutPassword(url);
  const client = new Redis(url, {
    lazyConnect: true,
    connectionName: `heliosdb-${connector}`,
    // Trying again is for the loop that shows why.
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
  });
  client.on('error', (error) => logger.debug('redis', { connector, said: error.message }));
  try {
    await client.connect();
  } catch (error) {
    throw redisFailure(shown, error);
  }
  const streams = options['stream'] && new Destinations(options['stream'], database);
  const trimming = options['maxlen'] === undefined ? [] : ['MAXLEN', '~', options['maxlen']];
  const sink: Sink = {
    async deliver(batch) {
      const pipeline = client.pipeline();
      for (const outgoing of batch) {
        const stream = streams ? streams.of(outgoing) : streamOf(outgoing);
        pipeline.xadd(stream, ...trimming, ...entryOf(outgoing));
      }
      const answers = await pipeline.exec().catch((error: unknown): never => {
        throw redisFailure(shown, error);
      });
      for (const [error] of answers ?? []) {
        if (error !== null && !isThere(error)) throw redisFailure(shown, error);
      }
    },
    async close() {
      client.disconnect();
    },
  };
  return sink;
};

function streamOf({ change }: OutgoingChange): string {
  const { schema, name } = change.table ?? change.schemaChange ?? { schema: '', name: '' };
  return printStreamKey({
    database: undefined,
    table: { schema, name },
    epoch: change.position.epoch,
  });
}

function entryOf({ change, rights }: OutgoingChange): string[] {
  const fields = entryFields(change, printChange(change, rights));
  return [printStreamId(idOfChange(change)), ...fields.flat()];
}

/** Its id is not greater than the last one of the stream: it was delivered before. */
function isThere({ message }: Error): boolean {
  return message.includes('equal or smaller than the target stream top item');
}

function redisFailure(url: string, error: unknown): PgError {
  const { message } = error as Error;
  if (/^(?:WRONGPASS|NOAUTH|NOPERM)/.test(message)) {
    return sinkDenied(
      `Redis at ${url} does not let the connector in`,
      error,
      'Mend the user and password of option url, or give the user +xadd on the keys.',
    );
  }
  if (/^(?:OOM|READONLY|WRONGTYPE|MISCONF)/.test(message)) {
    return sinkFailed(`Redis at ${url} did not take the changes`, error, {
      hint: 'Make room, name the primary, or remove what has the key of a stream; it is tried again.',
    });
  }
  return sinkUnreachable(
    `could not reach Redis at ${url}`,
    error,
    'Start it, or mend option url; it is tried again, and nothing is lost.',
  );
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}

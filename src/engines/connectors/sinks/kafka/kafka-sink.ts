import { readFile } from 'node:fs/promises';
import { CompressionTypes, Kafka, type KafkaConfig, logLevel, Partitioners } from 'kafkajs';
import type { OpenSink, OutgoingChange, Sink, SinkContext } from '../../../../contracts/sink.ts';
import { Destinations } from '../destination.ts';
import { kafkaFailure } from './kafka-failure.ts';
import { splitByBytes } from './split-by-bytes.ts';

const brokersStandard = 'localhost:9092';
const topicStandard = 'heliosdb.{schema}.{table}';
/** What a topic may be called; anything else becomes `_`, as Debezium has it. */
const unfit = /[^a-zA-Z0-9._-]/g;
const topicLengthMax = 249;

/** One message for each change, with the key of the row: the changes of a row stay in order. */
export const openKafkaSink: OpenSink = async (context) => {
  const { options } = context;
  const kafka = new Kafka(await configurationOf(context));
  const producer = kafka.producer({
    // All the partitions of Java clients: rows of a table and their changes meet in one.
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: true,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  const brokers = options['brokers'] ?? brokersStandard;
  try {
    await producer.connect();
  } catch (error) {
    throw kafkaFailure(brokers, error);
  }
  const topics = new Destinations(options['topic'] ?? topicStandard, context.database, (name) =>
    name.replaceAll(unfit, '_').slice(0, topicLengthMax),
  );
  const compression = compressionOf(options['compression']);
  const sink: Sink = {
    async deliver(batch) {
      try {
        for (const part of splitByBytes(batch)) {
          await producer.sendBatch({ topicMessages: byTopic(part, topics), compression, acks: -1 });
        }
      } catch (error) {
        throw kafkaFailure(brokers, error);
      }
    },
    close: () => producer.disconnect(),
  };
  return sink;
};

function byTopic(
  batch: readonly OutgoingChange[],
  topics: Destinations,
): { topic: string; messages: { key: string | null; value: string }[] }[] {
  const found: Map<string, { key: string | null; value: string }[]> = new Map();
  for (const outgoing of batch) {
    const topic = topics.of(outgoing);
    const message = { key: outgoing.key ?? null, value: outgoing.value };
    const messages = found.get(topic);
    if (messages === undefined) found.set(topic, [message]);
    else messages.push(message);
  }
  return [...found].map(([topic, messages]) => ({ topic, messages }));
}

async function configurationOf({ connector, options, logger }: SinkContext): Promise<KafkaConfig> {
  const brokers = (options['brokers'] ?? brokersStandard).split(',').map((one) => one.trim());
  const isSecure = options['tls'] === 'on' || options['tls'] === 'true';
  const authority = options['tls_ca'];
  const mechanism = options['sasl_mechanism'];
  const username = options['sasl_username'] ?? '';
  const password = options['sasl_password'] ?? '';
  return {
    clientId: options['client_id'] ?? `heliosdb-${connector}`,
    brokers,
    connectionTimeout: 3_000,
    requestTimeout: 30_000,
    // Leaders move; whatever lasts longer is for the loop that shows it.
    retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 },
    logLevel: logLevel.ERROR,
    logCreator:
      () =>
      ({ log }) =>
        logger.debug('kafka', { connector, said: log.message }),
    ...(isSecure
      ? { ssl: authority === undefined ? true : { ca: [await readFile(authority)] } }
      : {}),
    ...(mechanism === undefined
      ? {}
      : { sasl: { mechanism: mechanism as 'plain', username, password } }),
  };
}

function compressionOf(name: string | undefined): CompressionTypes {
  return name === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None;
}

import type { OpenSink } from '../../../contracts/sink.ts';

/** Loaded when a connector of the type runs: nobody pays for the clients of others. */
export const sinkTypes: Readonly<Record<string, () => Promise<OpenSink>>> = {
  kafka: async () => (await import('./kafka/kafka-sink.ts')).openKafkaSink,
  redis: async () => (await import('./redis/redis-sink.ts')).openRedisSink,
  http: async () => (await import('./http/http-sink.ts')).openHttpSink,
  file: async () => (await import('./file/file-sink.ts')).openFileSink,
};

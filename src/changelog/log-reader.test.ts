import { LocalLogReader } from './local-log-reader.ts';
import { LogServer } from './remote/log-server.ts';
import { RemoteLogReader } from './remote/remote-log-reader.ts';
import { describeLogReader } from './testing/log-reader-contract.ts';

const database = 'shop';

describeLogReader('a log on this disk', async ({ directory }) => {
  const reader = new LocalLogReader({ directory, database });
  return { reader, close: () => reader.close() };
});

describeLogReader('a log of another node', async ({ directory }) => {
  const local = new LocalLogReader({ directory, database });
  const secret = Buffer.alloc(32, 7);
  const server = await LogServer.listen({
    listen: { host: '127.0.0.1', port: 0 },
    logOf: (name) =>
      name === database ? { reader: local, secret: async () => secret } : undefined,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
  const address = { host: '127.0.0.1', port: server.port };
  const reader = new RemoteLogReader({
    database,
    locate: async () => ({ node: 'a', address, secret: async () => secret }),
  });
  return {
    reader,
    async close() {
      await reader.close();
      await server.close();
      await local.close();
    },
  };
});

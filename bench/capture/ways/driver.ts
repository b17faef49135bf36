import { Client, type ClientConfig } from 'pg';
import { parseLsn } from '../../../src/core/lsn.ts';
import { replicationMessageAt } from '../../../src/protocol/replication/replication-message.ts';
import { xlogDataHeadBytes } from '../../../src/protocol/replication/xlog-data.ts';
import type { OpenWay } from '../receiver.ts';
import { replicationCommand } from '../replication-command.ts';
import { commitsBehind } from './end-of-backlog.ts';

type Connection = {
  on(event: 'copyData', listener: (message: { readonly chunk: Buffer }) => void): void;
};

/** pg in replication mode, with its own parser. */
export const openDriver: OpenWay = async (task) => {
  const end = parseLsn(task.end) ?? 0n;
  const config = { connectionString: task.url, replication: 'database' };
  const client = new Client(config as ClientConfig);
  await client.connect();
  const { connection } = client as unknown as { connection: Connection };
  return () =>
    new Promise<number>((resolve, reject) => {
      let count = 0;
      connection.on('copyData', ({ chunk }) => {
        if (replicationMessageAt(chunk, 0, chunk.length) !== 'xlog-data') return;
        count += 1;
        if (commitsBehind(chunk, xlogDataHeadBytes, end)) resolve(count);
      });
      client.query(replicationCommand(task.slot, task.start)).catch(reject);
    });
};

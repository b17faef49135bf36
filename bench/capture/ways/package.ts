import type { Client } from 'pg';
import { LogicalReplicationService, PgoutputPlugin } from 'pg-logical-replication';
import { parseLsn } from '../../../src/core/lsn.ts';
import type { OpenWay } from '../receiver.ts';
import { replicationCommand } from '../replication-command.ts';
import { commitsBehind } from './end-of-backlog.ts';

/** Asks for what the engine asks for, and hands over what comes as it came. */
class RawPlugin extends PgoutputPlugin {
  override start(client: Client, slotName: string, lastLsn: string): Promise<unknown> {
    return client.query(replicationCommand(slotName, lastLsn));
  }

  override parse(buffer: Buffer): ReturnType<PgoutputPlugin['parse']> {
    return buffer as unknown as ReturnType<PgoutputPlugin['parse']>;
  }
}

/**
 * The package pg-logical-replication, kept from confirming by itself what it has merely received,
 * and with its flow control, without which nothing bounds its memory.
 */
export const openPackage: OpenWay = async (task) => {
  const end = parseLsn(task.end) ?? 0n;
  const service = new LogicalReplicationService(
    { connectionString: task.url },
    { acknowledge: { auto: false, timeoutSeconds: 0 }, flowControl: { enabled: true } },
  );
  return () =>
    new Promise<number>((resolve, reject) => {
      let count = 0;
      service.on('error', reject);
      service.on('data', (_lsn, message: Buffer) => {
        count += 1;
        if (commitsBehind(message, 0, end)) resolve(count);
      });
      service
        .subscribe(new RawPlugin({ protoVersion: 1, publicationNames: [] }), task.slot, task.start)
        .catch(reject);
    });
};

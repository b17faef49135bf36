import { parseLsn } from '../../../src/core/lsn.ts';
import { ReplicationConnection } from '../../../src/postgres/replication-stream.ts';
import { FrameReader } from '../../../src/protocol/frame-reader.ts';
import { headerBytes, serverMessage } from '../../../src/protocol/message-types.ts';
import { replicationMessageAt } from '../../../src/protocol/replication/replication-message.ts';
import { xlogDataHeadBytes } from '../../../src/protocol/replication/xlog-data.ts';
import type { OpenWay } from '../receiver.ts';
import { replicationCommand } from '../replication-command.ts';
import { targetOf } from '../target.ts';
import { commitsBehind } from './end-of-backlog.ts';

/** The socket is taken from the driver, messages are found where they lie. */
export const openFrames: OpenWay = async (task) => {
  const end = parseLsn(task.end) ?? 0n;
  const replication = await ReplicationConnection.open(targetOf(task.url));
  return async () => {
    const reader = new FrameReader((_type, frameBytes) => frameBytes);
    let count = 0;
    return new Promise<number>((resolve, reject) => {
      const take = (chunk: Buffer): undefined => {
        reader.push(chunk);
        while (reader.next() === 'head') {
          const at = reader.start + headerBytes;
          if (reader.type === serverMessage.errorResponse) {
            reject(new Error(reader.bytes.toString('utf8', at, reader.end)));
          }
          if (reader.type !== serverMessage.copyData) continue;
          if (replicationMessageAt(reader.bytes, at, reader.end) !== 'xlog-data') continue;
          count += 1;
          if (commitsBehind(reader.bytes, at + xlogDataHeadBytes, end)) resolve(count);
        }
      };
      const socket = replication.start(replicationCommand(task.slot, task.start), take);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('the connection was closed')));
    });
  };
};

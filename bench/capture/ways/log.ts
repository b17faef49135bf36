import { LogWriter } from '../../../src/changelog/log-writer.ts';
import { parseLsn } from '../../../src/core/lsn.ts';
import { xidNear } from '../../../src/core/xid.ts';
import { PgoutputAssembler } from '../../../src/engines/capture/pgoutput-assembler.ts';
import { shapeOf } from '../../../src/engines/capture/relation-shapes.ts';
import { SlotStream } from '../../../src/engines/capture/slot-stream.ts';
import { ValueKinds } from '../../../src/engines/capture/value-kinds.ts';
import { Connection } from '../../../src/postgres/connection.ts';
import { ReplicationConnection } from '../../../src/postgres/replication-stream.ts';
import { takeWalSample } from '../../../src/snapshot/wal-samples.ts';
import type { OpenWay } from '../receiver.ts';
import { replicationCommand } from '../replication-command.ts';
import { targetOf } from '../target.ts';

/** What the engine does with a slot, from its socket to a durable log. */
export const openLog: OpenWay = async (task) => {
  const target = targetOf(task.url);
  const end = parseLsn(task.end) ?? 0n;
  const connection = await Connection.open(target);
  const replication = await ReplicationConnection.open(target);
  const identity = await replication.identify();
  const writer = await LogWriter.open(task.directory, {
    source: { systemId: identity.systemId, databaseOid: 1, database: target.database },
    timeline: identity.timeline,
    term: 1,
    epoch: 1,
    startLsn: parseLsn(task.start) ?? 0n,
  });
  const { nextXid } = await takeWalSample(connection);
  const server = { connection, kinds: new ValueKinds(connection) };
  const assembler = new PgoutputAssembler({
    writer,
    describe: async (relation) => {
      const { shape, kept } = await shapeOf(relation, server, new Set());
      return { version: writer.tableVersion(shape), kept, isGuess: false };
    },
    excluded: async () => false,
    widenXid: (xid) => xidNear(BigInt(xid), nextXid),
  });
  return async () => {
    const done = new AbortController();
    const stream = new SlotStream({
      start: (take) => replication.start(replicationCommand(task.slot, task.start), take),
      writer,
      assembler,
      confirmable: (durableLsn) => {
        if (durableLsn > end) done.abort();
        return durableLsn;
      },
      flushed: () => undefined,
      started: () => undefined,
    });
    await stream.run(done.signal);
    return writer.state.changes;
  };
};

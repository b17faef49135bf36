import type { CommitMessage } from './commit.ts';
import { openFrame } from './frame-cursor.ts';
import { pgoutputMessage } from './message-type.ts';

/** The pieces of this transaction, without its aborted subtransactions, are committed. */
export type StreamCommitMessage = CommitMessage & {
  /** Of the top-level transaction. */
  readonly xid: number;
};

export function decodeStreamCommit(bytes: Buffer, start: number, end: number): StreamCommitMessage {
  const cursor = openFrame(bytes, start, end, pgoutputMessage.streamCommit);
  const xid = cursor.uint32();
  cursor.skip(1); // flags, of which there are none
  const message = {
    xid,
    commitLsn: cursor.lsn(),
    endLsn: cursor.lsn(),
    committedAtMicros: cursor.time(),
  };
  cursor.finish();
  return message;
}

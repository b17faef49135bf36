import type { Change } from '../contracts/change.ts';
import { logDamaged } from '../core/errors/change-log.ts';
import { decodeChange } from '../protocol/changes/decode-change.ts';
import type { TransactionRecord } from './block.ts';
import { schemaVersionId } from './format.ts';
import { forEachFrame } from './segment.ts';
import { versionOfFrame } from './stored-frame.ts';
import type { TableVersions } from './table-versions.ts';
import type { FrameRun } from './transaction-reader.ts';

type Place = { readonly epoch: number; readonly record: TransactionRecord };

/** Frames to changes, only those of the wanted table versions; the rest is not decoded. */
export class FrameDecoder {
  readonly #tables: TableVersions;
  readonly #versions: ReadonlySet<number> | 'all';
  readonly #schemaChanges: boolean;

  constructor(
    tables: TableVersions,
    versions: ReadonlySet<number> | 'all',
    schemaChanges: boolean,
  ) {
    this.#tables = tables;
    this.#versions = versions;
    this.#schemaChanges = schemaChanges;
  }

  forward(
    run: FrameRun,
    place: Place,
    wanted: { readonly fromSeq: number; readonly changesMax: number },
  ): Change[] {
    const changes: Change[] = [];
    for (const { seq, start, end } of this.#wantedFrames(run, place.record)) {
      if (seq < wanted.fromSeq) continue;
      if (changes.length >= wanted.changesMax) break;
      changes.push(this.#change(run.frames, start, end, { ...place, seq }));
    }
    return changes;
  }

  /** The last one first. */
  backward(run: FrameRun, place: Place, beforeSeq: number): Change[] {
    return this.#wantedFrames(run, place.record)
      .filter(({ seq }) => seq < beforeSeq)
      .reverse()
      .map(({ seq, start, end }) => this.#change(run.frames, start, end, { ...place, seq }));
  }

  #wantedFrames(
    run: FrameRun,
    record: TransactionRecord,
  ): { readonly seq: number; readonly start: number; readonly end: number }[] {
    const wanted: { seq: number; start: number; end: number }[] = [];
    let seq = run.firstSeq;
    forEachFrame(run.frames, (start, end) => {
      const version = versionOfFrame(run.frames, start, record.hasSubxids);
      if (this.#isWanted(version)) wanted.push({ seq, start, end });
      seq += 1;
    });
    return wanted;
  }

  #isWanted(version: number): boolean {
    if (version === schemaVersionId) return this.#schemaChanges;
    return this.#versions === 'all' || this.#versions.has(version);
  }

  #change(
    frames: Buffer,
    start: number,
    end: number,
    { epoch, record, seq }: Place & { readonly seq: number },
  ): Change {
    const decoded = decodeChange({ bytes: frames, start, end, streamed: record.hasSubxids }, (id) =>
      this.#tables.get(id),
    );
    if (decoded === undefined) throw logDamaged('A frame is no change.');
    return {
      ...decoded,
      position: { epoch, lsn: record.commitLsn, seq },
      walLsn: frames.readBigUInt64BE(start - 8),
      committedAtMicros: record.committedAt,
      xid: record.xid,
    };
  }
}

import type { ChangePosition, TableVersion } from '../../contracts/change.ts';
import type { VersionRights } from '../../contracts/change-access.ts';
import type { EpochBounds, LogBounds, LogReader } from '../../contracts/log-reader.ts';
import {
  captureGap,
  changeLogNotOpen,
  changeLogTrimmed,
  databaseNotCaptured,
  epochTrimmed,
  tableNotReadable,
} from '../../core/errors/redis.ts';
import {
  compareStreamIds,
  firstStreamId,
  previousStreamId,
  printStreamId,
  type StreamId,
} from '../../protocol/streams/stream-id.ts';
import { printStreamKey, type StreamRef } from '../../protocol/streams/stream-key.ts';
import type { AccessByDatabase, CapturedDatabase } from '../services.ts';

/** A database whose log is read for one command. */
export type OpenDatabase = { readonly name: string; readonly reader: LogReader };

/**
 * A stream at one moment. The bounds were asked for before the table versions: every change before
 * `end` is of a version that is known, and nothing behind it may be shown, because a change of a
 * version that came in between would be passed over.
 */
export type StreamView = {
  readonly ref: StreamRef;
  readonly database: OpenDatabase;
  readonly bounds: LogBounds;
  readonly epoch: EpochState;
  /** Versions of the table, or of all tables. */
  readonly versions: readonly TableVersion[];
};

export type EpochState =
  /** Not begun: a key that does not exist yet. */
  | { readonly kind: 'future' }
  /** Removed from the log, all of it. */
  | { readonly kind: 'forgotten'; readonly first: EpochBounds }
  | {
      readonly kind: 'held';
      /** Where what the log holds of it begins. */
      readonly start: StreamId;
      /** Changes before that were removed. */
      readonly isTrimmed: boolean;
      /** Before this everything is there. Undefined: the epoch has ended, everything is there. */
      readonly end: StreamId | undefined;
      /** Of an epoch that has ended: the one to go on with, and where this one ended. */
      readonly gap: { readonly endLsn: bigint; readonly next: EpochBounds } | undefined;
    };

export type HeldEpoch = Extract<EpochState, { kind: 'held' }>;

/** Throws a PgError when the database is not captured or its log is not open. */
export function openDatabase(
  databases: readonly CapturedDatabase[],
  name: string | undefined,
): OpenDatabase {
  const found = name === undefined ? databases[0] : databases.find((one) => one.name === name);
  if (found === undefined) {
    throw name === undefined ? changeLogNotOpen(undefined) : databaseNotCaptured(name);
  }
  if (found.reader === undefined) throw changeLogNotOpen(found.name);
  return { name: found.name, reader: found.reader };
}

export async function viewStream(ref: StreamRef, database: OpenDatabase): Promise<StreamView> {
  const bounds = await database.reader.bounds();
  const tables = await database.reader.tables();
  const { table } = ref;
  const versions =
    table === undefined
      ? tables
      : tables.filter(({ schema, name }) => schema === table.schema && name === table.name);
  return { ref, database, bounds, epoch: stateOfEpoch(bounds, ref.epoch), versions };
}

export function stateOfEpoch(bounds: LogBounds, epoch: number): EpochState {
  const index = bounds.epochs.findIndex((one) => one.epoch === epoch);
  const first = bounds.epochs[0];
  const found = bounds.epochs[index];
  if (found === undefined || first === undefined) {
    const isBefore = first !== undefined && epoch < first.epoch;
    return isBefore ? { kind: 'forgotten', first } : { kind: 'future' };
  }
  const isTrimmed = index === 0 && bounds.startLsn > found.startLsn;
  const next = bounds.epochs[index + 1];
  return {
    kind: 'held',
    start: { lsn: isTrimmed ? bounds.startLsn : found.startLsn, seq: 0n },
    isTrimmed,
    end: next === undefined ? { lsn: bounds.endLsn, seq: 0n } : undefined,
    gap: next && { endLsn: found.endLsn ?? next.startLsn, next },
  };
}

/** What a client may see of a stream. */
export type PermittedView = StreamView & {
  /** Of the versions that are not hidden from it, by version id. */
  readonly rights: ReadonlyMap<number, VersionRights>;
  readonly permitted: ReadonlySet<number>;
};

/** Throws a PgError when the client may see nothing of the table. */
export async function permitView(
  view: StreamView,
  access: AccessByDatabase,
): Promise<PermittedView> {
  const { versions } = view;
  const all =
    versions.length === 0
      ? new Map<number, VersionRights>()
      : await access(view.database.name).rightsOn(versions);
  const rights = new Map<number, VersionRights>();
  for (const { id } of versions) {
    const one = all.get(id);
    if (one !== undefined && one.kind !== 'none') rights.set(id, one);
  }
  if (view.ref.table !== undefined && versions.length > 0 && rights.size === 0) {
    const latest = all.get(versions.reduce((a, b) => (a.id > b.id ? a : b)).id);
    const { schema, name } = view.ref.table;
    throw tableNotReadable(
      schema === 'public' ? name : `${schema}.${name}`,
      latest?.kind === 'none' ? latest.reason : 'privilege',
    );
  }
  return { ...view, rights, permitted: new Set(rights.keys()) };
}

/** Throws a PgError when the log no longer holds anything of the epoch. */
export function requireEpoch(view: StreamView): HeldEpoch | undefined {
  const { epoch, ref } = view;
  if (epoch.kind === 'future') return undefined;
  if (epoch.kind === 'held') return epoch;
  const first = epoch.first.epoch;
  throw epochTrimmed(ref.epoch, { epoch: first, key: printStreamKey({ ...ref, epoch: first }) });
}

/** Throws a PgError when changes from this id on were removed from the log. */
export function requireFrom({ isTrimmed, start }: HeldEpoch, id: StreamId): void {
  if (!isTrimmed || compareStreamIds(id, start) >= 0) return;
  throw changeLogTrimmed({
    id: printStreamId(start),
    before: printStreamId(previousStreamId(start) ?? firstStreamId),
  });
}

/** Throws a PgError at the end of an epoch that has ended. */
export function requireNoGap({ ref }: StreamView, { gap }: HeldEpoch): void {
  if (gap === undefined) return;
  const { epoch, startLsn } = gap.next;
  throw captureGap(
    { epoch: ref.epoch, lsn: gap.endLsn },
    { epoch, lsn: startLsn, key: printStreamKey({ ...ref, epoch }) },
  );
}

/** The position of an id. What is greater than any position becomes the greatest. */
export function positionOf(epoch: number, { lsn, seq }: StreamId): ChangePosition {
  const max = BigInt(Number.MAX_SAFE_INTEGER);
  return { epoch, lsn, seq: Number(seq < max ? seq : max) };
}

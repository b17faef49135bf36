import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ChangePosition } from '../../contracts/change.ts';
import type { EventsRead } from '../../contracts/rewriter.ts';
import { changeAboveAnswer, tooManyChanges } from '../../core/errors/change-access.ts';
import { eventsBatchMax, eventsBytesMax } from '../../core/limits.ts';
import { handOverQuery } from '../../lowering/cdc/show-cdc-events.ts';
import { EventScope } from './event-scope.ts';
import { epochOf } from './gaps.ts';
import type { Offering } from './offering.ts';

/**
 * Puts the rows a SHOW CDC EVENTS shows into its setting on the client's backend: what the role may
 * see, of the tables that are meant, as many as the statement wants. Rejects with a PgError that is
 * the client's answer.
 */
export async function offerEvents(offering: Offering): Promise<void> {
  const scope = await EventScope.open(offering);
  const { sinceLsn, limit } = offering.read;
  const rows =
    sinceLsn === undefined && limit !== undefined
      ? await collectBackward(offering, scope, undefined)
      : await collectForward(offering, scope);
  await putRows(offering, `[${rowsOf(rows).join(',')}]`);
}

/** Hands rows over to the backend, where the text reads them. */
export async function putRows(
  { ask, read, isAscii, isLocal }: Pick<Offering, 'ask' | 'read' | 'isAscii' | 'isLocal'>,
  json: string,
): Promise<void> {
  const value = isAscii ? await escapeNonAscii(json) : json;
  await ask({
    text: handOverQuery(read.table !== undefined),
    parameters: [read.setting, value, String(isLocal)],
  });
}

/** Units that are escaped at a time: V8 holds all matches of one `replace`, and ends beyond its limit. */
const escapedUnits = 64 * 1024;
/** As long as a string may be. */
const escapedUnitsMax = 500_000_000;

/** JSON says every character in ASCII too. */
async function escapeNonAscii(json: string): Promise<string> {
  const parts: string[] = [];
  let length = 0;
  for (let at = 0; at < json.length; at += escapedUnits) {
    const part = json
      .slice(at, at + escapedUnits)
      .replace(
        /[\u0080-\uffff]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
    length += part.length;
    if (length > escapedUnitsMax) throw changeAboveAnswer(eventsBytesMax);
    parts.push(part);
    if (parts.length % 16 === 0) await nextTurn();
  }
  return parts.join('');
}

/** Rows in the making, bounded. */
export class CollectedRows {
  readonly #batches: (readonly string[])[] = [];
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  get batches(): readonly (readonly string[])[] {
    return this.#batches;
  }

  add(rows: readonly string[], where: 'before' | 'behind'): void {
    this.#count += rows.length;
    for (const row of rows) {
      if (row.length > eventsBytesMax) throw changeAboveAnswer(eventsBytesMax);
      this.#bytes += row.length;
    }
    if (this.#bytes > eventsBytesMax) throw tooManyChanges(eventsBytesMax);
    if (where === 'before') this.#batches.unshift(rows);
    else this.#batches.push(rows);
  }
}

export function rowsOf(rows: CollectedRows): readonly string[] {
  return rows.batches.flat();
}

/** The last rows that match, as many as the statement wants, of changes before a position. */
export async function collectBackward(
  offering: Offering,
  scope: EventScope,
  from: ChangePosition | undefined,
): Promise<CollectedRows> {
  const { reader, read } = offering;
  const limit = read.limit ?? Number.POSITIVE_INFINITY;
  const rows = new CollectedRows();
  let before = from;
  while (rows.count < limit) {
    const batch = await reader.readBackward({
      before,
      tables: scope.tables,
      schemaChanges: true,
      changesMax: batchSize(read, limit - rows.count),
    });
    const after = batch.isAtStart ? epochOf({ kind: 'start' }, scope.bounds) : batch.before.epoch;
    const span = { after, through: before?.epoch ?? scope.bounds.epoch };
    const matching = await matches(offering, await scope.rows(batch.changes, span));
    rows.add(matching.slice(Math.max(0, matching.length - (limit - rows.count))), 'before');
    if (batch.isAtStart) break;
    before = batch.before;
    await offering.pause();
  }
  return rows;
}

/** The first ones. */
async function collectForward(offering: Offering, scope: EventScope): Promise<CollectedRows> {
  const { reader, read } = offering;
  const limit = read.limit ?? Number.POSITIVE_INFINITY;
  const rows = new CollectedRows();
  let from = scope.start();
  // Also with LIMIT 0, for the position may be before the start of the log.
  for (;;) {
    const batch = await reader.read({
      from,
      tables: scope.tables,
      schemaChanges: true,
      changesMax: batchSize(read, limit - rows.count),
    });
    const span = { after: epochOf(from, scope.bounds), through: batch.through.epoch };
    const matching = await matches(offering, await scope.rows(batch.changes, span));
    rows.add(matching.slice(0, limit - rows.count), 'behind');
    if (batch.isAtEnd || rows.count >= limit) break;
    from = { kind: 'after', position: batch.through };
    await offering.pause();
  }
  return rows;
}

function batchSize(read: EventsRead, missing: number): number {
  return read.isFiltered ? eventsBatchMax : Math.min(Math.max(1, missing), eventsBatchMax);
}

/** The rows for which WHERE holds: Postgres decides. */
export async function matches(
  offering: Offering,
  rows: readonly string[],
): Promise<readonly string[]> {
  const { filter } = offering.read;
  if (filter === undefined || rows.length === 0) return rows;
  await putRows(offering, `[${rows.join(',')}]`);
  const ordinals = await offering.ask({ text: filter.text, parameters: [], isClients: true });
  if (ordinals === null || ordinals === '') return [];
  return ordinals.split(',').map((ordinal) => rows[Number(ordinal)]!);
}

import type { ChangePosition } from '../../contracts/change.ts';
import type { LogReader } from '../../contracts/log-reader.ts';
import type { EventsRead } from '../../contracts/rewriter.ts';
import { tooManyChanges } from '../../core/errors/change-access.ts';
import { eventsBatchMax, eventsBytesMax } from '../../core/limits.ts';
import { EventScope } from './event-scope.ts';

/** Asks the client's own backend, unseen by it; rejects with `AnswerGiven` when that failed. */
export type Ask = (question: {
  readonly text: string;
  readonly parameters: readonly string[];
  /** The text is the client's WHERE: it has the statement's own parameters, and no others. */
  readonly isClients?: boolean;
}) => Promise<string | null>;

export type Offering = {
  readonly reader: LogReader;
  readonly read: EventsRead;
  readonly ask: Ask;
  /** Whether the JSON has to be ASCII: the client's encoding may lack what is in it. */
  readonly isAscii: boolean;
};

/**
 * Puts the rows a SHOW CDC EVENTS shows into its setting on the client's backend: what the role may
 * see, of the tables that are meant, as many as the statement wants. Rejects with a PgError that is
 * the client's answer.
 */
export async function offerEvents(offering: Offering): Promise<void> {
  const scope = await EventScope.open(offering);
  const rows = new OfferedRows();
  const { sinceLsn } = offering.read;
  if (sinceLsn !== undefined) await collectForward(offering, scope, rows);
  else if (offering.read.limit === undefined) await collectForward(offering, scope, rows);
  else await collectBackward(offering, scope, rows);
  await put(offering, rows.json());
}

async function put({ ask, read, isAscii }: Offering, json: string): Promise<void> {
  const value = isAscii ? escapeNonAscii(json) : json;
  await ask({
    text: 'SELECT pg_catalog.set_config($1, $2, false) IS NULL',
    parameters: [read.setting, value],
  });
}

/** JSON says every character in ASCII too. */
function escapeNonAscii(json: string): string {
  return json.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Rows in the making, bounded. */
class OfferedRows {
  readonly #batches: string[][] = [];
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  add(rows: readonly string[], where: 'before' | 'behind'): void {
    this.#count += rows.length;
    for (const row of rows) this.#bytes += row.length;
    if (this.#bytes > eventsBytesMax) throw tooManyChanges(eventsBytesMax);
    if (where === 'before') this.#batches.unshift([...rows]);
    else this.#batches.push([...rows]);
  }

  json(): string {
    return `[${this.#batches.flat().join(',')}]`;
  }
}

async function collectBackward(
  offering: Offering,
  scope: EventScope,
  rows: OfferedRows,
): Promise<void> {
  const { reader, read } = offering;
  const limit = read.limit ?? 0;
  let before: ChangePosition | undefined;
  while (rows.count < limit) {
    const batch = await reader.readBackward({
      before,
      tables: scope.tables,
      schemaChanges: true,
      changesMax: batchSize(read, limit - rows.count),
    });
    const matching = await matches(offering, scope.visible(batch.changes));
    rows.add(matching.slice(Math.max(0, matching.length - (limit - rows.count))), 'before');
    if (batch.isAtStart) return;
    before = batch.before;
  }
}

async function collectForward(
  offering: Offering,
  scope: EventScope,
  rows: OfferedRows,
): Promise<void> {
  const { reader, read } = offering;
  const limit = read.limit ?? Number.POSITIVE_INFINITY;
  let from = await scope.start();
  while (rows.count < limit) {
    const batch = await reader.read({
      from,
      tables: scope.tables,
      schemaChanges: true,
      changesMax: batchSize(read, limit - rows.count),
    });
    const matching = await matches(offering, scope.visible(batch.changes));
    rows.add(matching.slice(0, limit - rows.count), 'behind');
    if (batch.isAtEnd) return;
    from = { kind: 'after', position: batch.through };
  }
}

function batchSize(read: EventsRead, missing: number): number {
  return read.isFiltered ? eventsBatchMax : Math.min(missing, eventsBatchMax);
}

/** The rows for which WHERE holds: Postgres decides. */
async function matches(offering: Offering, rows: readonly string[]): Promise<readonly string[]> {
  const { filter } = offering.read;
  if (filter === undefined || rows.length === 0) return rows;
  await put(offering, `[${rows.join(',')}]`);
  const ordinals = await offering.ask({ text: filter.text, parameters: [], isClients: true });
  if (ordinals === null || ordinals === '') return [];
  return ordinals.split(',').map((ordinal) => rows[Number(ordinal)]!);
}

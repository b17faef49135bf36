import type { Change, TableVersion } from '../../contracts/change.ts';
import type { VersionRights } from '../../contracts/change-access.ts';
import type { LogBounds, ReadForward, TableFilter } from '../../contracts/log-reader.ts';
import { changeTooLarge } from '../../core/errors/change-access.ts';
import { logMoved } from '../../core/errors/log-stream.ts';
import { jsonbBytesMax } from '../../core/limits.ts';
import {
  type ChangeRights,
  readOwnRights,
  rightsParameter,
  rightsQuery,
} from '../../lowering/cdc/change-rights.ts';
import { printEventRow, printGapRow } from '../../protocol/changes/event-row.ts';
import { scalarPrinterFor } from '../../protocol/changes/scalar-json.ts';
import { fitsJsonb, withinString } from './fits-jsonb.ts';
import { type EpochSpan, type Gap, gapsIn } from './gaps.ts';
import type { Offering } from './offering.ts';
import { refuseUnseen, tableMeant } from './table-meant.ts';

/** Which changes one execution of a SHOW CDC EVENTS is about: of its FROM, with the role's rights. */
export class EventScope {
  readonly #offering: Offering;
  readonly #rights: ChangeRights;
  /** Of FROM; undefined: all tables. */
  readonly #tableOid: number | undefined;
  /** Versions of which the role may see something. */
  readonly tables: TableFilter;
  /** As they were when it was made. */
  readonly bounds: LogBounds;
  /** Every version the log had when the rights were asked. */
  readonly #known: ReadonlySet<number>;
  readonly #print: (change: Change, rights: VersionRights) => string | undefined;

  private constructor(
    offering: Offering,
    scope: {
      readonly rights: ChangeRights;
      readonly tableOid: number | undefined;
      readonly known: ReadonlySet<number>;
      readonly bounds: LogBounds;
    },
  ) {
    this.bounds = scope.bounds;
    this.#known = scope.known;
    this.#offering = offering;
    this.#rights = scope.rights;
    const print = scalarPrinterFor(scope.rights.encoding);
    this.#print = (change, rights) => withinString(() => printEventRow(change, rights, print));
    this.#tableOid = scope.tableOid;
    const seen = [...scope.rights.versions].filter(([, { kind }]) => kind !== 'none');
    const isAll = scope.tableOid === undefined && seen.length === scope.rights.versions.size;
    this.tables = isAll ? 'all' : new Set(seen.map(([id]) => id));
  }

  static async open(offering: Offering): Promise<EventScope> {
    const { reader, read, ask } = offering;
    const bounds = await reader.bounds();
    const known = await reader.tables();
    const meant = read.table === undefined ? undefined : await tableMeant(offering, known);
    const oid = meant?.oid;
    const versions = oid === undefined ? known : known.filter((version) => version.oid === oid);
    const asked = [...versions, ...(oid === undefined ? [] : [{ oid }])];
    const answer = await ask({
      text: rightsQuery,
      parameters: [rightsParameter(asked as readonly TableVersion[])],
    });
    const rights = readOwnRights(answer ?? '', versions);
    if (read.table !== undefined && meant !== undefined) refuseUnseen(read.table, rights, meant);
    const ids = new Set(known.map(({ id }) => id));
    return new EventScope(offering, { rights, tableOid: oid, known: ids, bounds });
  }

  /**
   * Whether the log has a table version by now of which nobody knew when the rights were asked, or
   * is that of another node, which has as many under other ids.
   */
  async isOutdated(): Promise<boolean> {
    const now = await this.#offering.reader.tables();
    return now.length !== this.#known.size || now.some(({ id }) => !this.#known.has(id));
  }

  /** Where a read forward begins. */
  start(): ReadForward['from'] {
    const { sinceLsn } = this.#offering.read;
    if (sinceLsn === undefined) return { kind: 'start' };
    return { kind: 'at', epoch: this.bounds.epoch, lsn: sinceLsn.lsn };
  }

  /** The rows of what was read: of changes the role may see, and of each gap among them. */
  async rows(changes: readonly Change[], span: EpochSpan): Promise<readonly string[]> {
    if (changes.some(({ table }) => table !== undefined && !this.#known.has(table.id))) {
      await this.#refuseOtherLog();
    }
    const gaps = [...(await this.#gaps(span))];
    const rows: string[] = [];
    const passGaps = (epoch: number): void => {
      while (gaps[0] !== undefined && gaps[0].begun.epoch <= epoch) {
        const { ended, begun } = gaps.shift()!;
        rows.push(printGapRow(ended, begun));
      }
    };
    for (const change of changes) {
      passGaps(change.position.epoch);
      const rights = this.#rightsOn(change);
      if (rights !== undefined) rows.push(this.#row(change, rights));
    }
    passGaps(span.through);
    return rows;
  }

  /**
   * A version nobody knew of is a new one, or the number that another node's log has for a table.
   * Nothing is known of the rights on those, and leaving all of them out would look as if there
   * were no changes.
   *
   * @throws PgError 08006
   */
  async #refuseOtherLog(): Promise<void> {
    const now = new Set((await this.#offering.reader.tables()).map(({ id }) => id));
    for (const id of this.#known) if (!now.has(id)) throw logMoved();
  }

  /** @throws PgError 54000 when no jsonb can hold it */
  #row(change: Change, rights: VersionRights): string {
    const row = this.#print(change, rights);
    if (row !== undefined && fitsJsonb(row)) return row;
    throw changeTooLarge(change.table?.name, change.position, jsonbBytesMax);
  }

  /** Of epochs that began after the scope was made too. */
  async #gaps(span: EpochSpan): Promise<readonly Gap[]> {
    return span.after < span.through ? gapsIn(await this.#offering.reader.bounds(), span) : [];
  }

  #rightsOn({ table, schemaChange }: Change): VersionRights | undefined {
    if (table !== undefined) return this.#rights.versions.get(table.id);
    if (schemaChange === undefined) return undefined;
    const { tableOid } = schemaChange;
    if (this.#tableOid !== undefined && tableOid !== this.#tableOid) return undefined;
    return this.#rights.seesSchemaChanges(tableOid) ? { kind: 'all' } : undefined;
  }
}

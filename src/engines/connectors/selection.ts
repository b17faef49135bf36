import type { ChosenTable, Connector } from '../../catalog/connector-catalog.ts';
import type { Change, TableVersion } from '../../contracts/change.ts';
import type { ChangeAccess, VersionRights } from '../../contracts/change-access.ts';
import { connectorRightGone } from '../../core/errors/connectors.ts';
import { rightsAgeMaxMs } from './limits.ts';

/** What of each change leaves: what was asked for and the owner of the connector may see. */
export class Selection {
  readonly #owner: string;
  readonly #chosen: ReadonlyMap<number, ChosenTable> | undefined;
  readonly #access: ChangeAccess;
  readonly #versions: Map<number, TableVersion> = new Map();
  readonly #rights: Map<number, VersionRights> = new Map();
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor({ owner, tables }: Pick<Connector, 'owner' | 'tables'>, access: ChangeAccess) {
    this.#owner = owner;
    this.#chosen = tables && new Map(tables.map((table) => [table.oid, table]));
    this.#access = access;
  }

  /** Asks for the rights on what these changes are of, where they are not known or too old. */
  async prepare(changes: readonly Change[]): Promise<void> {
    let isNew = false;
    for (const { table } of changes) {
      if (table === undefined || this.#versions.has(table.id) || !this.#wants(table.oid)) continue;
      this.#versions.set(table.id, table);
      isNew = true;
    }
    if (!isNew && performance.now() - this.#askedAt < rightsAgeMaxMs) return;
    const versions = [...this.#versions.values()];
    const found = versions.length === 0 ? new Map() : await this.#access.rightsOn(versions);
    this.#askedAt = performance.now();
    for (const version of versions) this.#note(version, found.get(version.id));
  }

  /**
   * Undefined for a change that was not asked for.
   *
   * @throws PgError 42501 where it was, and the owner may not see it
   */
  of(change: Change): VersionRights | undefined {
    const { table, schemaChange } = change;
    if (schemaChange !== undefined) {
      const { schema, tableOid } = schemaChange;
      return schema !== 'heliosdb' && this.#wants(tableOid) ? { kind: 'all' } : undefined;
    }
    if (table === undefined || !this.#wants(table.oid)) return undefined;
    const rights = this.#rights.get(table.id) ?? { kind: 'none', reason: 'privilege' };
    return this.#narrowed(table, rights);
  }

  #wants(oid: number): boolean {
    return this.#chosen === undefined || this.#chosen.has(oid);
  }

  /** Of a table that is gone nobody can be asked: what was allowed before counts. */
  #note(version: TableVersion, found: VersionRights | undefined): void {
    const isGone = found === undefined || (found.kind === 'none' && found.reason === 'dropped');
    if (isGone && this.#rights.has(version.id)) return;
    this.#rights.set(version.id, found ?? { kind: 'none', reason: 'dropped' });
  }

  #narrowed(table: TableVersion, rights: VersionRights): VersionRights | undefined {
    const columns = this.#chosen?.get(table.oid)?.columns;
    if (rights.kind === 'none') {
      // Of all tables those are delivered that the owner may see.
      if (this.#chosen === undefined || rights.reason === 'dropped') return undefined;
      throw this.#refusal(table, rights.reason);
    }
    if (columns === undefined) return rights;
    const visible = table.columns.map(({ name, isKey }) => isKey || columns.includes(name));
    if (rights.kind === 'columns') {
      const isShort = visible.some((isWanted, index) => isWanted && !rights.visible[index]);
      if (isShort) throw this.#refusal(table, 'privilege');
    }
    return { kind: 'columns', visible };
  }

  #refusal({ schema, name }: TableVersion, reason: 'privilege' | 'row-security'): Error {
    const detail =
      reason === 'row-security'
        ? `Row security applies to role ${this.#owner}, and a change does not say who may see it.`
        : `Role ${this.#owner} may not SELECT all that the connector delivers.`;
    return connectorRightGone(`${schema}.${name}`, this.#owner, detail);
  }
}

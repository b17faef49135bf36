import type { ValueKind } from '../../contracts/change.ts';
import type { Connection, Row } from '../../postgres/connection.ts';
import {
  builtinValueKind,
  resolveValueKind,
  type TypeFacts,
} from '../../protocol/changes/value-kind.ts';

/** How values of types are written as JSON; asks the catalog about those that are not built in. */
export class ValueKinds {
  readonly #connection: Connection;
  readonly #facts: Map<number, TypeFacts> = new Map();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async of(typeOids: readonly number[]): Promise<readonly ValueKind[]> {
    let unknown = typeOids.filter((oid) => this.#isUnknown(oid));
    while (unknown.length > 0) unknown = await this.#ask(unknown);
    return typeOids.map((oid) => resolveValueKind(oid, (asked) => this.#facts.get(asked)));
  }

  #isUnknown(oid: number): boolean {
    return oid !== 0 && builtinValueKind(oid) === undefined && !this.#facts.has(oid);
  }

  /** Answers what is to be asked next: what domains and arrays are made of. */
  async #ask(oids: readonly number[]): Promise<number[]> {
    const rows = await this.#connection.query(
      `SELECT oid, typtype, typbasetype, typelem, typdelim, typoutput::regproc::text AS typoutput
         FROM pg_catalog.pg_type WHERE oid = ANY ($1::oid[])`,
      [oids],
    );
    for (const row of rows) this.#facts.set(Number(row['oid']), factsOf(row));
    // A type that is gone is written as text.
    for (const oid of oids) if (!this.#facts.has(oid)) this.#facts.set(oid, goneType);
    return rows
      .flatMap((row) => [Number(row['typbasetype']), Number(row['typelem'])])
      .filter((oid) => this.#isUnknown(oid));
  }
}

const goneType: TypeFacts = {
  typtype: 'b',
  typbasetype: 0,
  typelem: 0,
  typdelim: ',',
  typoutput: '',
};

function factsOf(row: Row): TypeFacts {
  return {
    typtype: String(row['typtype']),
    typbasetype: Number(row['typbasetype']),
    typelem: Number(row['typelem']),
    typdelim: String(row['typdelim']),
    typoutput: String(row['typoutput']).replace(/^pg_catalog\./, ''),
  };
}

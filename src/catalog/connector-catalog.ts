import type { ChangePosition } from '../contracts/change.ts';
import { parseLsn } from '../core/lsn.ts';
import type { Connection, Row } from '../postgres/connection.ts';

/** What is wanted of a connector (`heliosdb.connectors`), and where its reader stands. */
export type Connector = {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly owner: string;
  /** Undefined: all. */
  readonly tables: readonly ChosenTable[] | undefined;
  readonly options: Readonly<Record<string, StoredOption>>;
  /** Grows with each change of any of this. */
  readonly version: number;
  /** Its first change is behind the commit of this transaction; undefined once that was passed. */
  readonly startsBehind: bigint | undefined;
  readonly state: 'running' | 'gap';
  readonly position: ChangePosition;
};

export type ChosenTable = {
  readonly oid: number;
  /** Undefined: all. */
  readonly columns: readonly string[] | undefined;
};

export type StoredOption = string | { readonly env: string } | { readonly file: string };

/** One that can be set, for procedures that are called directly. */
export type KnownOption = {
  readonly type: string;
  readonly option: string;
  readonly expected: string;
  readonly isNeeded: boolean;
  readonly isSecret: boolean;
};

export type ConnectorTally = {
  readonly id: string;
  readonly delivered: number;
  readonly retries: number;
};

/** Reads and writes what is wanted of connectors and how they are, for the one who delivers. */
export class ConnectorCatalog {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Those that are enabled. */
  async enabled(): Promise<readonly Connector[]> {
    const rows = await this.#connection.query(
      `SELECT c.id, c.name, c.type, c.owner, c.tables, c.options, c.version, c.starts_behind,
              r.state, r.epoch, r.lsn, r.seq
         FROM heliosdb.connectors AS c
         JOIN heliosdb.readers AS r ON r.name = heliosdb.connector_reader(c.name)
        WHERE c.enabled ORDER BY c.name`,
    );
    return rows.map(connectorOf);
  }

  /** Makes this node the one that delivers, under a term of its own. */
  async takeOver(node: string): Promise<number> {
    const [row] = await this.#connection.query(
      'UPDATE heliosdb.delivery_state SET term = term + 1, owner = $1 RETURNING term',
      [node],
    );
    return Number(row?.['term']);
  }

  /** Whether a transaction of the WAL can be seen: a commit that waits for a standby cannot yet. */
  async isVisible(xid: bigint): Promise<boolean> {
    const [row] = await this.#connection.query(
      'SELECT pg_visible_in_snapshot($1::text::xid8, pg_current_snapshot()) AS is_seen',
      [String(xid)],
    );
    return row?.['is_seen'] === true;
  }

  /** Of one that is enabled. */
  async versionOf(id: string): Promise<number | undefined> {
    const [row] = await this.#connection.query(
      'SELECT version FROM heliosdb.connectors WHERE id = $1 AND enabled',
      [id],
    );
    return row === undefined ? undefined : Number(row['version']);
  }

  async owns(term: number): Promise<boolean> {
    const [row] = await this.#connection.query(
      'SELECT term = $1 AS owns FROM heliosdb.delivery_state',
      [term],
    );
    return row?.['owns'] === true;
  }

  async writeOptions(options: readonly KnownOption[]): Promise<void> {
    // Those of a later version stay: its nodes may be there already.
    await this.#connection.query(
      `INSERT INTO heliosdb.connector_options AS o (type, option, expected, is_needed, is_secret)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::boolean[])
           ON CONFLICT (type, option) DO UPDATE SET expected = EXCLUDED.expected,
              is_needed = EXCLUDED.is_needed, is_secret = EXCLUDED.is_secret
            WHERE (o.expected, o.is_needed, o.is_secret)
               <> (EXCLUDED.expected, EXCLUDED.is_needed, EXCLUDED.is_secret)`,
      [
        options.map(({ type }) => type),
        options.map(({ option }) => option),
        options.map(({ expected }) => expected),
        options.map(({ isNeeded }) => isNeeded),
        options.map(({ isSecret }) => isSecret),
      ],
    );
  }

  /** The connector has passed where it begins. False when another node delivers. */
  async begun(term: number, id: string): Promise<boolean> {
    const rows = await this.#connection.query(
      `UPDATE heliosdb.connectors SET starts_behind = NULL
        WHERE id = $2 AND EXISTS (SELECT FROM heliosdb.delivery_state WHERE term = $1)
        RETURNING true AS written`,
      [term, id],
    );
    return rows.length > 0;
  }

  async writeTally({ id, delivered, retries }: ConnectorTally): Promise<void> {
    await this.#connection.query(
      `INSERT INTO heliosdb.connector_status AS s
         (id, delivered, retries, updated_at)
       SELECT t.id, t.delivered, t.retries, clock_timestamp()
         FROM (VALUES ($1::uuid, $2::bigint, $3::bigint)) AS t (id, delivered, retries)
         JOIN heliosdb.connectors USING (id)
           ON CONFLICT (id) DO UPDATE SET delivered = s.delivered + EXCLUDED.delivered,
              retries = s.retries + EXCLUDED.retries, updated_at = EXCLUDED.updated_at`,
      [id, delivered, retries],
    );
  }
}

function connectorOf(row: Row): Connector {
  const tables = row['tables'] as
    | readonly {
        readonly oid: number;
        readonly columns: readonly string[] | null;
      }[]
    | null;
  return {
    id: String(row['id']),
    name: String(row['name']),
    type: String(row['type']),
    owner: String(row['owner']),
    tables: tables?.map(({ oid, columns }) => ({ oid, columns: columns ?? undefined })),
    options: row['options'] as Connector['options'],
    version: Number(row['version']),
    startsBehind: row['starts_behind'] === null ? undefined : BigInt(String(row['starts_behind'])),
    state: row['state'] === 'gap' ? 'gap' : 'running',
    position: {
      epoch: Number(row['epoch']),
      lsn: parseLsn(String(row['lsn'])) ?? 0n,
      seq: Number(row['seq']),
    },
  };
}

/** The reader of a connector, as `heliosdb.connector_reader` names it. */
export function readerOf(connector: string): string {
  return `connector ${connector}`;
}

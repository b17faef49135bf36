import type { ChangePosition } from '../contracts/change.ts';
import type { PgError } from '../core/errors/pg-error.ts';
import { parseLsn, printLsn } from '../core/lsn.ts';
import type { Connection, Row } from '../postgres/connection.ts';

/** A reader of the change log that the slot waits for (`heliosdb.readers`). */
export type RegisteredReader = {
  readonly name: string;
  readonly kind: string;
  readonly isEnabled: boolean;
  /** `gap`: changes are missing for it, and it goes on only when told. */
  readonly state: 'running' | 'gap';
  readonly position: ChangePosition;
  readonly failingForMs: number | undefined;
};

/**
 * Writes where readers stand and how they are. A write names the term of the owner it is done for,
 * and does nothing when there is another: then it answers false, and the reader has to end.
 */
export class ReaderRegistry {
  readonly #connection: Connection;
  readonly #term: number;
  /** Keeps a write from being done for an owner that is none any more; $1 is the term. */
  readonly #whereOwner: string;

  /** @param owner of the capture, or of the delivery to connectors */
  constructor(connection: Connection, term: number, owner: 'capture' | 'delivery' = 'capture') {
    this.#connection = connection;
    this.#term = term;
    this.#whereOwner = `WHERE EXISTS (SELECT FROM heliosdb.${owner}_state WHERE term = $1)`;
  }

  /** Holds the log from a position on. A reader of that name that is there stays as it is. */
  async register(name: string, kind: string, from: ChangePosition): Promise<boolean> {
    return this.#writes(
      `INSERT INTO heliosdb.readers (name, kind, epoch, lsn, seq)
       SELECT $2, $3, $4, $5, $6 ${this.#whereOwner}
       ON CONFLICT (name) DO UPDATE SET kind = EXCLUDED.kind`,
      [name, kind, from.epoch, printLsn(from.lsn), from.seq],
    );
  }

  async list(): Promise<readonly RegisteredReader[]> {
    const rows = await this.#connection.query(
      `SELECT name, kind, enabled, state, epoch, lsn, seq,
              extract(epoch FROM clock_timestamp() - failing_since)::float8 * 1000 AS failing_ms
         FROM heliosdb.readers ORDER BY name`,
    );
    return rows.map(readerOf);
  }

  /** It has dealt with everything up to there, and is well. */
  async advance(name: string, position: ChangePosition): Promise<boolean> {
    return this.#writes(
      `UPDATE heliosdb.readers SET epoch = $3, lsn = $4, seq = $5, state = 'running',
              failing_since = NULL, error_code = NULL, error = NULL, hint = NULL
        ${this.#whereOwner} AND name = $2`,
      [name, ...columnsOf(position)],
    );
  }

  /** As `advance`, but only from where it is known to stand: a statement may have moved it. */
  async advanceFrom(name: string, from: ChangePosition, to: ChangePosition): Promise<boolean> {
    return this.#writes(
      `UPDATE heliosdb.readers SET epoch = $3, lsn = $4, seq = $5, state = 'running',
              failing_since = NULL, error_code = NULL, error = NULL, hint = NULL
        ${this.#whereOwner} AND name = $2 AND (epoch, lsn, seq) = ($6, $7, $8)`,
      [name, ...columnsOf(to), ...columnsOf(from)],
    );
  }

  /** It does not get on; the clock of `hold_for` runs from the first such word. */
  async fail(name: string, { code, message, hint }: PgError): Promise<boolean> {
    return this.#writes(
      `UPDATE heliosdb.readers SET error_code = $3, error = $4, hint = $5,
              failing_since = coalesce(failing_since, clock_timestamp())
        ${this.#whereOwner} AND name = $2`,
      [name, code, message, hint ?? null],
    );
  }

  /** Changes behind its position are gone: it holds nothing any more. */
  async markGap(name: string, reason: string): Promise<boolean> {
    return this.#writes(
      `UPDATE heliosdb.readers SET state = 'gap', error_code = '55000', error = $3
        ${this.#whereOwner} AND name = $2`,
      [name, reason],
    );
  }

  async enable(name: string, isEnabled: boolean): Promise<boolean> {
    return this.#writes(
      `UPDATE heliosdb.readers SET enabled = $3 ${this.#whereOwner} AND name = $2`,
      [name, isEnabled],
    );
  }

  async remove(name: string): Promise<boolean> {
    return this.#writes(`DELETE FROM heliosdb.readers ${this.#whereOwner} AND name = $2`, [name]);
  }

  async #writes(statement: string, values: readonly unknown[]): Promise<boolean> {
    const text = `${statement} RETURNING true AS written`;
    return (await this.#connection.query(text, [this.#term, ...values])).length > 0;
  }
}

function columnsOf({ epoch, lsn, seq }: ChangePosition): readonly unknown[] {
  return [epoch, printLsn(lsn), seq];
}

function readerOf(row: Row): RegisteredReader {
  return {
    name: String(row['name']),
    kind: String(row['kind']),
    isEnabled: row['enabled'] === true,
    state: row['state'] === 'gap' ? 'gap' : 'running',
    position: {
      epoch: Number(row['epoch']),
      lsn: parseLsn(String(row['lsn'])) ?? 0n,
      seq: Number(row['seq']),
    },
    failingForMs: row['failing_ms'] === null ? undefined : Number(row['failing_ms']),
  };
}

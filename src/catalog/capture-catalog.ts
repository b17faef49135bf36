import type { PgError } from '../core/errors/pg-error.ts';
import { parseLsn, printLsn } from '../core/lsn.ts';
import type { Connection, Row } from '../postgres/connection.ts';

/** What is wanted of capture (`heliosdb.capture`). */
export type CaptureWish = {
  /** Undefined: nobody has said. */
  readonly enabled: boolean | undefined;
  readonly options: Readonly<Record<string, string>>;
  readonly skipGapOf: number | undefined;
};

/** What is known of it for good (`heliosdb.capture_state`). */
export type CaptureFacts = {
  readonly term: number;
  readonly owner: string | undefined;
  readonly epoch: number;
  readonly slot: string | undefined;
  readonly timeline: number | undefined;
  /** Of the owner that has told the slot last what it may forget; 0 before the first. */
  readonly servedTerm: number;
  /** Grows while changes are captured, so that a restored catalog is known by it. */
  readonly beat: number;
  readonly epochStart: bigint | undefined;
  readonly gapReason: string | undefined;
};

export type CaptureGap = {
  readonly from: bigint;
  readonly to: bigint | undefined;
  readonly reason: string;
};

/** What was seen last (`heliosdb.capture_status`). */
export type CaptureStatus = {
  readonly state: string;
  readonly logStart: bigint | undefined;
  readonly logEnd: bigint | undefined;
  readonly durable: bigint | undefined;
  readonly confirmed: bigint | undefined;
  readonly logBytes: number;
  readonly changes: number;
  readonly error: PgError | undefined;
};

const factColumns =
  'term, owner, epoch, slot, timeline, served_term, beat, epoch_start, gap_reason';

/**
 * Reads and writes the rows of capture. Every write of an owner names its term: when another has
 * taken over it writes nothing and answers false.
 */
export class CaptureCatalog {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async wish(): Promise<CaptureWish> {
    const row = await this.#one('SELECT enabled, options, skip_gap_of FROM heliosdb.capture');
    return {
      enabled: row['enabled'] === null ? undefined : row['enabled'] === true,
      options: row['options'] as Readonly<Record<string, string>>,
      skipGapOf: row['skip_gap_of'] === null ? undefined : Number(row['skip_gap_of']),
    };
  }

  /** Says yes where nobody has said anything yet. */
  async enableUnlessSaid(): Promise<void> {
    await this.#connection.query(
      'UPDATE heliosdb.capture SET enabled = true WHERE enabled IS NULL',
    );
  }

  async facts(): Promise<CaptureFacts> {
    return factsOf(
      await this.#one(
        `SELECT ${factColumns}
           FROM heliosdb.capture_state`,
      ),
    );
  }

  /** Makes this node the owner, under a term of its own. */
  async takeOver(node: string): Promise<CaptureFacts> {
    return factsOf(
      await this.#one(
        `UPDATE heliosdb.capture_state SET term = term + 1, owner = $1
          RETURNING ${factColumns}`,
        [node],
      ),
    );
  }

  async noteSlot(term: number, slot: string): Promise<boolean> {
    return this.#writes('slot = $2', [term, slot]);
  }

  async noteEpoch(
    term: number,
    begun: { readonly epoch: number; readonly start: bigint; readonly timeline: number },
  ): Promise<boolean> {
    return this.#writes(
      `epoch = $2, epoch_start = $3, timeline = $4,
       gap_from = NULL, gap_to = NULL, gap_reason = NULL`,
      [term, begun.epoch, printLsn(begun.start), begun.timeline],
    );
  }

  /** This owner goes on with the slot. */
  async noteServing(term: number, timeline: number): Promise<boolean> {
    return this.#writes('timeline = $2, served_term = term', [term, timeline]);
  }

  /** Answers the new beat; undefined when another owner has another term. */
  async beat(term: number): Promise<number | undefined> {
    const row = await this.#one(
      'UPDATE heliosdb.capture_state SET beat = beat + 1 WHERE term = $1 RETURNING beat',
      [term],
    );
    return row['beat'] === undefined ? undefined : Number(row['beat']);
  }

  async noteGap(term: number, gap: CaptureGap): Promise<boolean> {
    return this.#writes('gap_from = $2, gap_to = $3, gap_reason = $4', [
      term,
      printLsn(gap.from),
      gap.to === undefined ? null : printLsn(gap.to),
      gap.reason,
    ]);
  }

  async forgetSlot(term: number): Promise<boolean> {
    return this.#writes('slot = NULL', [term]);
  }

  /** False when another owner has another term. */
  async writeStatus(term: number, node: string, status: CaptureStatus): Promise<boolean> {
    const { error } = status;
    const rows = await this.#connection.query(
      `INSERT INTO heliosdb.capture_status AS o
         (state, node, log_start, log_end, durable, confirmed, log_bytes, changes,
          error_code, error, hint, updated_at)
       SELECT $3, $2, $4::pg_lsn, $5::pg_lsn, $6::pg_lsn, $7::pg_lsn, $8::bigint, $9::bigint,
              $10, $11, $12, pg_catalog.clock_timestamp()
         FROM heliosdb.capture_state WHERE term = $1
       ON CONFLICT (singleton) DO UPDATE SET (state, node, log_start, log_end, durable, confirmed,
           log_bytes, changes, error_code, error, hint, updated_at) =
         ROW (EXCLUDED.state, EXCLUDED.node, EXCLUDED.log_start, EXCLUDED.log_end,
           EXCLUDED.durable, EXCLUDED.confirmed, EXCLUDED.log_bytes, EXCLUDED.changes,
           EXCLUDED.error_code, EXCLUDED.error, EXCLUDED.hint, EXCLUDED.updated_at)
       RETURNING true AS written`,
      [
        term,
        node,
        status.state,
        lsnText(status.logStart),
        lsnText(status.logEnd),
        lsnText(status.durable),
        lsnText(status.confirmed),
        status.logBytes,
        status.changes,
        error?.code ?? null,
        error === undefined ? null : [error.message, error.detail].filter(Boolean).join('. '),
        error?.hint ?? null,
      ],
    );
    return rows.length > 0;
  }

  async #writes(assignments: string, values: readonly unknown[]): Promise<boolean> {
    const rows = await this.#connection.query(
      `UPDATE heliosdb.capture_state SET ${assignments} WHERE term = $1 RETURNING true AS written`,
      values,
    );
    return rows.length > 0;
  }

  async #one(text: string, values?: readonly unknown[]): Promise<Row> {
    const [row] = await this.#connection.query(text, values);
    return row ?? {};
  }
}

function factsOf(row: Row): CaptureFacts {
  return {
    term: Number(row['term']),
    owner: textOf(row['owner']),
    epoch: Number(row['epoch']),
    slot: textOf(row['slot']),
    timeline: row['timeline'] === null ? undefined : Number(row['timeline']),
    servedTerm: Number(row['served_term']),
    beat: Number(row['beat']),
    epochStart: lsnOf(row['epoch_start']),
    gapReason: textOf(row['gap_reason']),
  };
}

function textOf(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}

function lsnOf(value: unknown): bigint | undefined {
  return typeof value === 'string' ? parseLsn(value) : undefined;
}

function lsnText(lsn: bigint | undefined): string | null {
  return lsn === undefined ? null : printLsn(lsn);
}

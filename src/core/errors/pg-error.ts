/** SQLSTATE class of messages a client sees. */
export type PgErrorSeverity = 'ERROR' | 'FATAL' | 'PANIC';

/** The fields of an error, named as the wire protocol names them. */
export type PgErrorFields = {
  readonly severity?: PgErrorSeverity;
  /** Five-character SQLSTATE. */
  readonly code: string;
  /** Primary line: lower-case first letter, no final stop. */
  readonly message: string;
  /** Facts, in full sentences. */
  readonly detail?: string | undefined;
  /** One thing the user can do now. */
  readonly hint?: string | undefined;
  /** 1-based, in characters of the text the client sent. */
  readonly position?: number | undefined;
  /** Whether the same attempt may succeed later without anybody changing anything. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
};

/**
 * The one error class of HeliosDB. It is constructed by the named constructors in this folder, one
 * file per area, and nowhere else.
 */
export class PgError extends Error {
  readonly severity: PgErrorSeverity;
  readonly code: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly position: number | undefined;
  readonly retryable: boolean;

  constructor(fields: PgErrorFields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.name = 'PgError';
    this.severity = fields.severity ?? 'ERROR';
    this.code = fields.code;
    this.detail = fields.detail;
    this.hint = fields.hint;
    this.position = fields.position;
    this.retryable = fields.retryable ?? false;
  }
}

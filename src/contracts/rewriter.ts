/**
 * What the proxy asks of the SQL side, and what it gets back. Types only.
 *
 * The proxy calls `rewrite` for one Query or Parse text at a time, in the order of the session, and
 * holds the session's later messages until the answer is there. The answer depends on the input
 * alone, so it may be cached by it. A rewriter never throws for anything a client can send: a text
 * it does not understand is `pass`, a text it refuses is `send` with an error provoked in the
 * backend.
 */

/** One text a client sent, with what decides its meaning. */
export type RewriteInput = {
  /** The statement text as the client sent it, decoded. */
  readonly text: string;
  /** `simple` may hold several statements, `extended` (Parse) one. */
  readonly protocol: 'simple' | 'extended';
  /** The session's setting of the same name, from its ParameterStatus. */
  readonly standardConformingStrings: boolean;
  /** Type OIDs the client declared in Parse, 0 where it left one open; empty for `simple`. */
  readonly parameterTypes: readonly number[];
  readonly discovery: Discovery;
};

/**
 * Whether the backend can be asked about a statement before it is lowered.
 * - `possible`: the rewriter may answer `probe`.
 * - `impossible`: asking would disturb the transaction; lower without knowing.
 * - `done`: the answer, the type OIDs of the probe's ParameterDescription in order, and the value
 *   of its survey, null where there was none.
 */
export type Discovery =
  | { readonly kind: 'possible' }
  | { readonly kind: 'impossible' }
  | { readonly kind: 'done'; readonly types: readonly number[]; readonly surveyed: string | null };

/** What to do with the text. */
export type Rewrite =
  /** Not ours: forward the client's own bytes. */
  { readonly kind: 'pass' } | Probe | Lowered;

/**
 * Parse and Describe this on the client's own backend first, without executing it, then call
 * `rewrite` again with `discovery: done`. An error of the probe is the client's answer, at the same
 * protocol step, after its position went through `positions`.
 */
export type Probe = {
  readonly kind: 'probe';
  readonly text: string;
  readonly parameterTypes: readonly number[];
  readonly positions: PositionMap;
  /**
   * A query that is executed after the Describe: one row of one text column, about what the backend
   * knows of the tables. It has to be right for any table the probe can be described for.
   */
  readonly survey?: string;
};

/** Send this text instead of the client's. */
export type Lowered = {
  readonly kind: 'send';
  readonly text: string;
  readonly positions: PositionMap;
  /** How errors that come back are worded for the client; the first that matches is used. */
  readonly errors: readonly ErrorRewrite[];
  /** Command tags to report instead of the backend's, by statement index within the Query. */
  readonly tags: readonly { readonly statement: number; readonly tag: string }[];
  /** How many statements were lowered (for metrics). */
  readonly loweredStatements: number;
  /** Reads of the change log: the proxy hands their rows over right before the text is executed. */
  readonly events?: readonly EventsRead[];
};

/**
 * A SHOW CDC EVENTS. Its lowered text reads the rows, a JSON array of objects, from the session's
 * setting of the given name, which is set on the client's own backend before.
 */
export type EventsRead = {
  /** Statement index within the Query. */
  readonly statement: number;
  /** `heliosdb.cdc_events_0` and so on, one for each such statement of a text. */
  readonly setting: string;
  /** FROM: as it was written, to be resolved by the backend's search_path. */
  readonly table?: { readonly name: string; readonly position: number };
  /** SINCE LSN: the first changes from there on. Without it the last ones. */
  readonly sinceLsn?: { readonly lsn: bigint; readonly position: number };
  /** Undefined: LIMIT ALL. */
  readonly limit: number | undefined;
  /** WHERE: Postgres filters, so that more than `limit` changes have to be offered to it. */
  readonly isFiltered: boolean;
  /** Given when `isFiltered`. */
  readonly filter?: EventsFilter;
  /** FOLLOW: goes on until it is cancelled. */
  readonly follows: boolean;
  /** A statement before it in the Query begins a transaction or says how it is to run. */
  readonly isBehindBegin: boolean;
  /** The Query holds no other statement. */
  readonly isAlone: boolean;
  /** The statement only needs a capture that has begun; no rows are handed over. */
  readonly beginsOnly?: true;
};

/**
 * A query that is asked on the client's own backend before, once for each batch of candidates in
 * the setting: one row of one text column, the ordinals from 0 of those for which WHERE holds, in
 * order and joined by commas, null where there is none. It has the statement's parameters.
 */
export type EventsFilter = { readonly text: string; readonly positions: PositionMap };

/** The fields of an ErrorResponse that a rewrite may set. */
export type ErrorFields = {
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  /** 1-based, in characters of the text the client sent. */
  readonly position?: number;
};

/**
 * An ErrorResponse that fits `when` (every given condition holds) is sent on with these fields in
 * place of its code, message, detail, hint and position; severity is kept, the fields that would
 * speak of generated SQL (schema, table, column, internal query, file, line, routine) are dropped.
 */
export type ErrorRewrite = {
  readonly when: {
    readonly code: string;
    /** The backend function named in field R: the same in every message language. */
    readonly routine?: string;
    readonly messageIncludes?: string;
    /** Of field W: the function it happened in, to tell it from the same error elsewhere. */
    readonly contextIncludes?: string;
  };
  readonly fields: ErrorFields | HintOnly;
};

/** Leaves the error as it is but for its hint. */
export type HintOnly = { readonly hint: string };

/**
 * From characters (code points) of a sent text to characters of the client's text. Segments are in
 * order and cover the sent text.
 */
export type PositionMap = readonly PositionSegment[];

export type PositionSegment = {
  /** First character in the sent text, 0-based. */
  readonly sent: number;
  /** The character of the client's text it stands for, 0-based. */
  readonly client: number;
  /** Whether the following characters were copied, so that offsets inside carry over. */
  readonly copied: boolean;
};

/** Turns a client's statement text into the text its backend gets. */
export interface Rewriter {
  rewrite(input: RewriteInput): Promise<Rewrite>;
}

import { PgError } from './pg-error.ts';

/** Where an error points: the 1-based character of the client's text. */
type At = { readonly position: number };

/**
 * @param token as it stands in the text; undefined at the end of it
 * @param expected what could have stood there
 */
export function cdcSyntaxError(
  token: string | undefined,
  expected: readonly string[],
  at: At & { readonly order?: readonly string[] },
): PgError {
  const order = at.order === undefined ? '' : ` The clauses come in the order ${list(at.order)}.`;
  return new PgError({
    code: '42601',
    message: `syntax error at ${token === undefined ? 'end of input' : `or near "${token}"`}`,
    hint: `Expected ${alternatives(expected)}.${order}`,
    position: at.position,
  });
}

function list(words: readonly string[]): string {
  return words.join(', ');
}

function alternatives(words: readonly string[]): string {
  if (words.length < 2) return words.join();
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

export function cdcParameter(parameter: string, at: At): PgError {
  return new PgError({
    code: '42601',
    message: `parameter ${parameter} is not allowed here`,
    detail: 'A statement on change data capture takes parameters in WHERE alone.',
    hint: 'Write the value itself.',
    ...at,
  });
}

export function cdcTooComplex(detail: string): PgError {
  return new PgError({
    code: '54001',
    message: 'stack depth limit exceeded',
    detail,
    hint: 'Shorten the statement, or put the condition into a function.',
  });
}

/** Worded as Postgres words it. */
export function invalidLsn(value: string, at: At): PgError {
  return new PgError({
    code: '22P02',
    message: `invalid input syntax for type pg_lsn: "${value}"`,
    hint: "Write two hexadecimal numbers, as in SINCE LSN '16/B374D848'.",
    ...at,
  });
}

/** Worded as Postgres words it. */
export function limitNegative(at: At): PgError {
  return new PgError({
    code: '2201W',
    message: 'LIMIT must not be negative',
    hint: 'Write LIMIT ALL for all changes.',
    ...at,
  });
}

/** Worded as Postgres words it. */
export function limitOutOfRange(value: string, at: At): PgError {
  return new PgError({
    code: '22003',
    message: `value "${value}" is out of range for type bigint`,
    hint: 'Write LIMIT ALL for all changes.',
    ...at,
  });
}

/** @param of what has these options: `capture`, `kafka connector` */
export function optionUnrecognised(
  of: string,
  option: string,
  valid: readonly string[],
  at: At,
): PgError {
  return new PgError({
    code: '22023',
    message: `unrecognized ${of} option "${option}"`,
    hint: `Valid options are ${list(valid)}.`,
    ...at,
  });
}

export function optionTwice(of: string, option: string, at: At): PgError {
  return new PgError({
    code: '42601',
    message: `${of} option "${option}" given more than once`,
    hint: 'Give it once.',
    ...at,
  });
}

/** @param value undefined when it is not to be shown */
export function optionInvalid(
  of: string,
  option: string,
  value: string | undefined,
  { expected, at }: { readonly expected: string; readonly at: At },
): PgError {
  return new PgError({
    code: '22023',
    message: `invalid value for ${of} option "${option}"${value === undefined ? '' : `: "${value}"`}`,
    hint: `Write ${expected}.`,
    ...at,
  });
}

export function optionMissing(of: string, option: string, expected: string, at: At): PgError {
  return new PgError({
    code: '22023',
    message: `a ${of} needs option "${option}"`,
    hint: `WITH (${option} = ...): ${expected}.`,
    ...at,
  });
}

export function enabledIsAlone(at: At): PgError {
  return new PgError({
    code: '42601',
    message: 'option "enabled" is set in a statement of its own',
    hint: 'Write ALTER CDC CONNECTOR ... SET enabled = ... after the other options.',
    ...at,
  });
}

export function connectorTypeUnrecognised(type: string, valid: readonly string[], at: At): PgError {
  return new PgError({
    code: '22023',
    message: `unrecognized type of connector "${type}"`,
    hint: `Valid types are ${list(valid)}.`,
    ...at,
  });
}

/** @param ending what stands before it, such as COMMIT */
export function eventsAfterEnd(ending: string, at: At): PgError {
  return new PgError({
    code: '0A000',
    message: `SHOW CDC EVENTS cannot follow ${ending} in one Query`,
    detail:
      'The changes are handed over before the first statement, to its transaction and with its rights.',
    hint: 'Send SHOW CDC EVENTS as a Query of its own.',
    ...at,
  });
}

export function followWithOthers(at: At): PgError {
  return new PgError({
    code: '0A000',
    message: 'SHOW CDC EVENTS with FOLLOW cannot stand beside other statements in one Query',
    detail: 'It goes on until it is cancelled.',
    hint: 'Send it as a Query of its own.',
    ...at,
  });
}

export function tooManyEventsReads(most: number, at: At): PgError {
  return new PgError({
    code: '54000',
    message: 'too many SHOW CDC EVENTS in one Query',
    detail: `A Query may hold ${most} of them.`,
    hint: 'Send some of them as a Query of their own.',
    ...at,
  });
}

export function notSetUp(): PgError {
  return new PgError({
    code: '55000',
    message: 'heliosdb is not set up in this database',
    hint: 'Start a node with the engine role on it, or connect to a database that one runs on.',
  });
}

/** @param statement the verb, such as ALTER CDC CAPTURE */
export function adminNeeded(statement: string): PgError {
  return new PgError({
    code: '42501',
    message: `must be a member of role "heliosdb_admin" to run ${statement}`,
    hint: 'Have an administrator run GRANT heliosdb_admin TO the role that asks.',
  });
}

/** Worded as Postgres words it. */
export function readOnlyTransaction(statement: string): PgError {
  return new PgError({
    code: '25006',
    message: `cannot execute ${statement} in a read-only transaction`,
    hint: 'Run it in a transaction that may write.',
  });
}

/** A mistake of ours, found while a statement was lowered. */
export function cdcLoweringFailed(reason: string): PgError {
  return new PgError({
    code: 'XX000',
    message: 'statement on change data capture could not be lowered',
    detail: reason,
    hint: 'Please report this statement.',
  });
}

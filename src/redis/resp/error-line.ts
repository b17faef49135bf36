import type { PgError } from '../../core/errors/pg-error.ts';
import type { Reply } from './reply.ts';

/** The first word of an error, by which clients of Redis tell classes apart, by SQLSTATE. */
const classes: Readonly<Record<string, string>> = {
  '02000': 'GAP',
  '08P01': 'NOPROTO',
  '22023': 'TRIMMED',
  '25006': 'READONLY',
  '28000': 'NOAUTH',
  '28P01': 'WRONGPASS',
  '42501': 'NOPERM',
  '57P03': 'LOADING',
  P0002: 'NOGROUP',
};

/** An error as the one line a Redis client gets. */
export function errorReply(error: PgError): Reply {
  const sentences = [error.detail, error.hint].filter((text) => text !== undefined);
  const rest = sentences.length === 0 ? '' : `. ${sentences.join(' ')}`;
  return { kind: 'error', line: `${classes[error.code] ?? 'ERR'} ${error.message}${rest}` };
}

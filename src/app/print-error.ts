import type { PgError } from '../core/errors/pg-error.ts';

/** As psql prints an error: the message alone on its line, then what else is known. */
export function printError(error: PgError): string {
  const lines = [`heliosdb: ${error.message}`];
  if (error.detail !== undefined) lines.push(`DETAIL:  ${error.detail}`);
  if (error.hint !== undefined) lines.push(`HINT:  ${error.hint}`);
  return lines.join('\n');
}

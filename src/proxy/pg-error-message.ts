import type { PgError } from '../core/errors/pg-error.ts';
import { encodeErrorResponse, type ResponseFields } from '../protocol/error-response.ts';

/** An error of the proxy itself as an ErrorResponse. Its texts are ASCII, right in any encoding. */
export function encodePgError(error: PgError): Buffer {
  const fields: ResponseFields = new Map();
  const set = (code: string, value: string | undefined): void => {
    if (value !== undefined) fields.set(code, Buffer.from(value, 'utf8'));
  };
  set('S', error.severity);
  set('V', error.severity);
  set('C', error.code);
  set('M', error.message);
  set('D', error.detail);
  set('H', error.hint);
  set('P', error.position === undefined ? undefined : String(error.position));
  return encodeErrorResponse(fields);
}

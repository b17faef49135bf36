import { endOfString } from './c-string.ts';
import { encodeFrame, nul } from './frame-writer.ts';
import { headerBytes, serverMessage } from './message-types.ts';

/**
 * Fields of an ErrorResponse or NoticeResponse, in the order they came. Values stay bytes: their
 * encoding is the session's. https://www.postgresql.org/docs/current/protocol-error-fields.html
 */
export type ResponseFields = Map<string, Buffer>;

/** From a whole message; undefined when it is not well formed. */
export function decodeResponseFields(
  bytes: Buffer,
  start: number,
  end: number,
): ResponseFields | undefined {
  const fields: ResponseFields = new Map();
  let at = start + headerBytes;
  while (at < end) {
    const code = bytes[at]!;
    if (code === 0) return fields;
    const to = endOfString(bytes, at + 1, end);
    if (to === -1) return undefined;
    fields.set(String.fromCharCode(code), bytes.subarray(at + 1, to));
    at = to + 1;
  }
  return undefined;
}

export function encodeErrorResponse(fields: ResponseFields): Buffer {
  return encodeFields(serverMessage.errorResponse, fields);
}

export function encodeNoticeResponse(fields: ResponseFields): Buffer {
  return encodeFields(serverMessage.noticeResponse, fields);
}

function encodeFields(type: number, fields: ResponseFields): Buffer {
  const parts: Buffer[] = [];
  for (const [code, value] of fields) parts.push(Buffer.from(code, 'latin1'), value, nul);
  return encodeFrame(type, ...parts, nul);
}

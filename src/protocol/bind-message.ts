import { endOfString, readName } from './c-string.ts';
import { encodeFrame } from './frame-writer.ts';
import { clientMessage, headerBytes } from './message-types.ts';

/**
 * The names at the beginning of a Bind message; the statement's is undefined when it is cut off,
 * both when the portal's is.
 */
export function decodeBindNames(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly portal: string; readonly statement: string | undefined } | undefined {
  const portal = readName(bytes, start + headerBytes, end);
  if (portal === undefined) return undefined;
  const portalTo = endOfString(bytes, start + headerBytes, end);
  return { portal, statement: portalTo === -1 ? undefined : readName(bytes, portalTo + 1, end) };
}

/** A Bind of values in text format, results in text format too. */
export function encodeBind(message: {
  readonly portal: string;
  readonly statement: string;
  readonly values: readonly Buffer[];
}): Buffer {
  const { portal, statement, values } = message;
  const count = Buffer.alloc(4);
  count.writeUInt16BE(values.length, 2);
  const parts = values.flatMap((value) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(value.length, 0);
    return [length, value];
  });
  const names = Buffer.from(`${portal}\0${statement}\0`, 'latin1');
  return encodeFrame(clientMessage.bind, names, count, ...parts, noFormats);
}

/**
 * The Bind of another portal and statement with the parameters of a whole Bind message; results in
 * text format. Undefined when the message is cut off.
 */
export function rebind(
  bytes: Buffer,
  names: { readonly portal: string; readonly statement: string },
): Buffer | undefined {
  const from = parametersFrom(bytes);
  const to = from === undefined ? undefined : parametersTo(bytes, from);
  if (from === undefined || to === undefined) return undefined;
  const head = Buffer.from(`${names.portal}\0${names.statement}\0`, 'latin1');
  return encodeFrame(clientMessage.bind, head, bytes.subarray(from, to), noFormats);
}

/** The Bind of another portal and statement, with all else of a whole Bind message. */
export function renameBind(
  bytes: Buffer,
  names: { readonly portal: string; readonly statement: string },
): Buffer | undefined {
  const from = parametersFrom(bytes);
  if (from === undefined) return undefined;
  const head = Buffer.from(`${names.portal}\0${names.statement}\0`, 'latin1');
  return encodeFrame(clientMessage.bind, head, bytes.subarray(from));
}

/** No result formats: all of them text. */
const noFormats = Buffer.alloc(2);

function parametersFrom(bytes: Buffer): number | undefined {
  const portalTo = endOfString(bytes, headerBytes, bytes.length);
  if (portalTo === -1) return undefined;
  const statementTo = endOfString(bytes, portalTo + 1, bytes.length);
  return statementTo === -1 ? undefined : statementTo + 1;
}

function parametersTo(bytes: Buffer, from: number): number | undefined {
  if (from + 2 > bytes.length) return undefined;
  let at = from + 2 + 2 * bytes.readUInt16BE(from);
  if (at + 2 > bytes.length) return undefined;
  const count = bytes.readUInt16BE(at);
  at += 2;
  for (let index = 0; index < count; index += 1) {
    if (at + 4 > bytes.length) return undefined;
    at += 4 + Math.max(0, bytes.readInt32BE(at));
  }
  return at > bytes.length ? undefined : at;
}

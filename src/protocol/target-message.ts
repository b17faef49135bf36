import { readName } from './c-string.ts';
import { headerBytes } from './message-types.ts';

/** What a Describe or Close message is about: both have the same body. */
export type Target = { readonly of: 'statement' | 'portal'; readonly name: string };

const statementByte = 0x53; // S
const portalByte = 0x50; // P

/** What a Describe or Close is about; undefined for neither, which is an error in Postgres. */
export function targetKind(bytes: Buffer, start: number, end: number): Target['of'] | undefined {
  const byte = start + headerBytes < end ? bytes[start + headerBytes] : undefined;
  if (byte === statementByte) return 'statement';
  if (byte === portalByte) return 'portal';
  return undefined;
}

/** Undefined when the name is cut off. */
export function decodeTarget(bytes: Buffer, start: number, end: number): Target | undefined {
  const of = targetKind(bytes, start, end);
  const name = readName(bytes, start + headerBytes + 1, end);
  return of === undefined || name === undefined ? undefined : { of, name };
}

import { endOfString } from './c-string.ts';
import { headerBytes } from './message-types.ts';

/** The names at the beginning of a Bind message; undefined when they are cut off. */
export function decodeBindNames(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly portal: string; readonly statement: string } | undefined {
  const portalFrom = start + headerBytes;
  const portalTo = endOfString(bytes, portalFrom, end);
  if (portalTo === -1) return undefined;
  const statementTo = endOfString(bytes, portalTo + 1, end);
  if (statementTo === -1) return undefined;
  return {
    portal: bytes.toString('latin1', portalFrom, portalTo),
    statement: bytes.toString('latin1', portalTo + 1, statementTo),
  };
}

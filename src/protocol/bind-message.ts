import { endOfString, readName } from './c-string.ts';
import { headerBytes } from './message-types.ts';

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

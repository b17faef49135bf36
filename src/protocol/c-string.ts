/**
 * Where the NUL-terminated string that begins at `from` ends, or -1 when there is no NUL before
 * `end`. Names and texts stay bytes until somebody needs them.
 */
export function endOfString(bytes: Buffer, from: number, end: number): number {
  const at = bytes.indexOf(0, from);
  return at === -1 || at >= end ? -1 : at;
}

/** The string at `from` as latin1, which is a one-to-one name for its bytes; undefined if cut. */
export function readName(bytes: Buffer, from: number, end: number): string | undefined {
  const at = endOfString(bytes, from, end);
  return at === -1 ? undefined : bytes.toString('latin1', from, at);
}

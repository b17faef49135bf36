/**
 * Where the NUL-terminated string that begins at `from` ends, or -1 when there is no NUL before
 * `end`. Names and texts stay bytes until somebody needs them.
 */
export function endOfString(bytes: Buffer, from: number, end: number): number {
  const at = bytes.indexOf(0, from);
  return at === -1 || at >= end ? -1 : at;
}

/** As much of the name of a statement or portal as Postgres compares (NAMEDATALEN less the NUL). */
const nameBytesMax = 63;

/**
 * The name at `from` as latin1, which is one-to-one with its bytes, without what Postgres does not
 * look at; undefined when it is cut off before that.
 */
export function readName(bytes: Buffer, from: number, end: number): string | undefined {
  const to = endOfString(bytes, from, Math.min(end, from + nameBytesMax + 1));
  if (to !== -1) return bytes.toString('latin1', from, to);
  return end - from > nameBytesMax
    ? bytes.toString('latin1', from, from + nameBytesMax)
    : undefined;
}

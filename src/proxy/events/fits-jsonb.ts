import { jsonbBytesMax, jsonbElementsMax } from '../../core/limits.ts';

/** Undefined when it is longer than a string may be. */
export function withinString(print: () => string): string | undefined {
  try {
    return print();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Whether Postgres can make a jsonb of each value of a row; errs on the side of no. */
export function fitsJsonb(row: string): boolean {
  if (row.length <= 2 * jsonbElementsMax) return true;
  // A unit of UTF-16 has three bytes at most.
  if (3 * row.length > jsonbBytesMax && Buffer.byteLength(row) > jsonbBytesMax) return false;
  let elements = 0;
  for (let at = row.indexOf(','); at !== -1; at = row.indexOf(',', at + 1)) elements += 1;
  return elements <= jsonbElementsMax;
}

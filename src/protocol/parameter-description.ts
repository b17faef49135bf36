import { headerBytes } from './message-types.ts';

/** Type OIDs of a whole ParameterDescription; undefined when it is not well formed. */
export function decodeParameterDescription(
  bytes: Buffer,
  start: number,
  end: number,
): number[] | undefined {
  const from = start + headerBytes;
  if (from + 2 > end) return undefined;
  const count = bytes.readUInt16BE(from);
  if (from + 2 + 4 * count !== end) return undefined;
  const types: number[] = [];
  for (let i = 0; i < count; i++) types.push(bytes.readUInt32BE(from + 2 + 4 * i));
  return types;
}

import { changeDamaged } from '../../core/errors/changes.ts';

const unchangedValue = 0x75; // u
const nullValue = 0x6e; // n

/** The tuples of `bytes[at, end)`, each behind its kind, with only the columns that are kept. */
export function copyKeptColumns(
  bytes: Buffer,
  at: number,
  end: number,
  kept: readonly boolean[],
): Buffer {
  const parts: Buffer[] = [];
  let from = at;
  while (from < end) from = copyTuple(bytes, from, { end, kept, parts });
  return Buffer.concat(parts);
}

function copyTuple(
  bytes: Buffer,
  at: number,
  into: { readonly end: number; readonly kept: readonly boolean[]; readonly parts: Buffer[] },
): number {
  const { end, kept, parts } = into;
  if (at + 3 > end) throw changeDamaged('A row is cut off.');
  const count = bytes.readUInt16BE(at + 1);
  const head = Buffer.from(bytes.subarray(at, at + 3));
  head.writeUInt16BE(kept.filter((isKept, index) => isKept && index < count).length, 1);
  parts.push(head);
  let from = at + 3;
  for (let index = 0; index < count; index += 1) {
    const kind = bytes[from];
    const isBare = kind === nullValue || kind === unchangedValue;
    if (!isBare && from + 5 > end) throw changeDamaged('A value is cut off.');
    const to = isBare ? from + 1 : from + 5 + bytes.readInt32BE(from + 1);
    if (to > end || to <= from) throw changeDamaged('A value has an impossible length.');
    if (kept[index]) parts.push(bytes.subarray(from, to));
    from = to;
  }
  return from;
}

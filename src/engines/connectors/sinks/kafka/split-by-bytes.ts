import type { OutgoingChange } from '../../../../contracts/sink.ts';

/** Less than a broker takes at once when nobody said otherwise (`message.max.bytes`), bytes. */
const requestBytesMax = 900_000;
/** Of a message besides its key and value, at most. */
const overheadBytes = 70;

/** Parts in order; a change that is larger than that alone makes one, for the broker to judge. */
export function* splitByBytes(
  batch: readonly OutgoingChange[],
): Generator<readonly OutgoingChange[]> {
  let from = 0;
  let bytes = 0;
  for (const [index, { key, value }] of batch.entries()) {
    const own = overheadBytes + Buffer.byteLength(value) + (key?.length ?? 0) * 3;
    if (index > from && bytes + own > requestBytesMax) {
      yield batch.slice(from, index);
      from = index;
      bytes = 0;
    }
    bytes += own;
  }
  if (from < batch.length) yield batch.slice(from);
}

import type { Change } from '../../contracts/change.ts';
import type { VersionRights } from '../../contracts/change-access.ts';
import { entryFields, idOfChange } from '../../protocol/streams/entry-fields.ts';
import { printStreamId } from '../../protocol/streams/stream-id.ts';
import { encodeBulk } from '../resp/reply.ts';
import type { EntryPrinter } from '../services.ts';

/** A change as a stream entry: `[id, [name, value, ...]]`, the same bytes in both protocols. */
export function encodeEntry(change: Change, rights: VersionRights, print: EntryPrinter): Buffer {
  const fields = entryFields(change, print(change, rights));
  const parts: Buffer[] = [Buffer.from('*2\r\n')];
  encodeBulk(printStreamId(idOfChange(change)), parts);
  parts.push(Buffer.from(`*${2 * fields.length}\r\n`));
  for (const [name, value] of fields) {
    encodeBulk(name, parts);
    encodeBulk(value, parts);
  }
  return Buffer.concat(parts);
}

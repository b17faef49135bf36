import { readName } from './c-string.ts';
import { headerBytes } from './message-types.ts';

/** The portal an Execute message runs; undefined when the name is cut off. */
export function decodeExecutePortal(bytes: Buffer, start: number, end: number): string | undefined {
  return readName(bytes, start + headerBytes, end);
}

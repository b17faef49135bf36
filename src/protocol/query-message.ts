import { endOfString } from './c-string.ts';
import { encodeFrame, nul } from './frame-writer.ts';
import { clientMessage, headerBytes } from './message-types.ts';

/** Where the text of a whole Query message stands; undefined when it is not well formed. */
export function locateQueryText(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly from: number; readonly to: number } | undefined {
  const from = start + headerBytes;
  const to = endOfString(bytes, from, end);
  return to === end - 1 ? { from, to } : undefined;
}

export function encodeQuery(text: Buffer): Buffer {
  return encodeFrame(clientMessage.query, text, nul);
}

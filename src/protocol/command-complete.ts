import { endOfString } from './c-string.ts';
import { encodeFrame, nul } from './frame-writer.ts';
import { headerBytes, serverMessage } from './message-types.ts';

export function encodeCommandComplete(tag: string): Buffer {
  return encodeFrame(serverMessage.commandComplete, Buffer.from(tag, 'latin1'), nul);
}

/** The tag of a CommandComplete; undefined when it is cut off. */
export function decodeCommandTag(bytes: Buffer, start: number, end: number): string | undefined {
  const to = endOfString(bytes, start + headerBytes, end);
  return to === -1 ? undefined : bytes.toString('latin1', start + headerBytes, to);
}

import { encodeFrame, nul } from './frame-writer.ts';
import { serverMessage } from './message-types.ts';

export function encodeCommandComplete(tag: string): Buffer {
  return encodeFrame(serverMessage.commandComplete, Buffer.from(tag, 'latin1'), nul);
}

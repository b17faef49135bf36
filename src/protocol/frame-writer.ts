import { headerBytes } from './message-types.ts';

/** One message from its type and the parts of its body. */
export function encodeFrame(type: number, ...parts: readonly Buffer[]): Buffer {
  let frameBytes = headerBytes;
  for (const part of parts) frameBytes += part.length;
  const frame = Buffer.allocUnsafe(frameBytes);
  frame[0] = type;
  frame.writeUInt32BE(frameBytes - 1, 1);
  let at = headerBytes;
  for (const part of parts) at += part.copy(frame, at);
  return frame;
}

/** The end of a C string. */
export const nul: Buffer = Buffer.from([0]);

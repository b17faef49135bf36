import { endOfString } from './c-string.ts';
import { encodeFrame, nul } from './frame-writer.ts';
import { clientMessage, headerBytes } from './message-types.ts';

/** The parts of a whole Parse message, as positions in its buffer. */
export type ParseParts = {
  readonly nameFrom: number;
  readonly nameTo: number;
  readonly textFrom: number;
  readonly textTo: number;
};

/** Undefined when the message is not well formed. */
export function locateParse(bytes: Buffer, start: number, end: number): ParseParts | undefined {
  const nameFrom = start + headerBytes;
  const nameTo = endOfString(bytes, nameFrom, end);
  if (nameTo === -1) return undefined;
  const textFrom = nameTo + 1;
  const textTo = endOfString(bytes, textFrom, end);
  if (textTo === -1 || textTo + 3 > end) return undefined;
  const typesBytes = 4 * bytes.readUInt16BE(textTo + 1);
  return textTo + 3 + typesBytes === end ? { nameFrom, nameTo, textFrom, textTo } : undefined;
}

/** The type OIDs the client declared, 0 where it left one open. */
export function decodeParseTypes(bytes: Buffer, parts: ParseParts): number[] {
  const count = bytes.readUInt16BE(parts.textTo + 1);
  const types: number[] = [];
  for (let i = 0; i < count; i++) types.push(bytes.readUInt32BE(parts.textTo + 3 + 4 * i));
  return types;
}

/** The same Parse message with another text. */
export function replaceParseText(
  bytes: Buffer,
  parts: ParseParts,
  end: number,
  text: Buffer,
): Buffer {
  return encodeFrame(
    clientMessage.parse,
    bytes.subarray(parts.nameFrom, parts.textFrom),
    text,
    bytes.subarray(parts.textTo, end),
  );
}

export function encodeParse(message: {
  readonly name: string;
  readonly text: Buffer;
  readonly parameterTypes: readonly number[];
}): Buffer {
  const types = Buffer.alloc(2 + 4 * message.parameterTypes.length);
  types.writeUInt16BE(message.parameterTypes.length, 0);
  for (const [i, type] of message.parameterTypes.entries()) types.writeUInt32BE(type, 2 + 4 * i);
  const name = Buffer.from(message.name, 'latin1');
  return encodeFrame(clientMessage.parse, name, nul, message.text, nul, types);
}

import { endOfString } from './c-string.ts';
import { headerBytes } from './message-types.ts';

/** Name and value of a whole ParameterStatus; undefined when it is not well formed. */
export function decodeParameterStatus(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly name: string; readonly value: string } | undefined {
  const nameFrom = start + headerBytes;
  const nameTo = endOfString(bytes, nameFrom, end);
  if (nameTo === -1) return undefined;
  const valueTo = endOfString(bytes, nameTo + 1, end);
  if (valueTo === -1) return undefined;
  return {
    name: bytes.toString('latin1', nameFrom, nameTo),
    value: bytes.toString('latin1', nameTo + 1, valueTo),
  };
}

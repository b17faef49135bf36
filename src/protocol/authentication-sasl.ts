import { endOfString } from './c-string.ts';
import { encodeFrame, nul } from './frame-writer.ts';
import { headerBytes, serverMessage } from './message-types.ts';

const saslRequest = 10;
const plusSuffix = '-PLUS';

/**
 * An AuthenticationSASL without the mechanisms that bind to a TLS channel, for a client whose own
 * leg has none: libpq gives up when it is offered one in the clear. Undefined when the message is
 * another one or offers none.
 */
export function withoutChannelBinding(
  bytes: Buffer,
  start: number,
  end: number,
): Buffer | undefined {
  const from = start + headerBytes;
  if (from + 4 > end || bytes.readUInt32BE(from) !== saslRequest) return undefined;
  const kept: Buffer[] = [];
  let dropped = false;
  for (let at = from + 4; at < end && bytes[at] !== 0; ) {
    const to = endOfString(bytes, at, end);
    if (to === -1) return undefined;
    if (bytes.toString('latin1', at, to).endsWith(plusSuffix)) dropped = true;
    else kept.push(bytes.subarray(at, to + 1));
    at = to + 1;
  }
  if (!dropped || kept.length === 0) return undefined;
  return encodeFrame(serverMessage.authentication, bytes.subarray(from, from + 4), ...kept, nul);
}

import { cancelKeyBytesMax, startupPacketBytesMax } from '../core/limits.ts';

/**
 * What a client says first.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export type StartupPacket =
  /** More bytes are needed. */
  | { readonly kind: 'incomplete' }
  /** Not a startup packet: Postgres closes such a connection without a word. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'ssl-request'; readonly packetBytes: number }
  | { readonly kind: 'gss-request'; readonly packetBytes: number }
  | {
      readonly kind: 'cancel-request';
      readonly packetBytes: number;
      /** Process id and key, as BackendKeyData has them. */
      readonly backendKey: Buffer;
    }
  | {
      readonly kind: 'startup';
      readonly packetBytes: number;
      readonly major: number;
      readonly minor: number;
      readonly parameters: ReadonlyMap<string, string>;
    };

/** First byte of a TLS handshake: a client that does not send an SSLRequest first. */
export const tlsHandshakeByte: number = 0x16;

const cancelRequestCode = 80877102;
const sslRequestCode = 80877103;
const gssRequestCode = 80877104;
const fixedBytes = 8;
/** The process id comes before the key; keys had four bytes before protocol 3.2. */
const cancelRequestBytesMin = fixedBytes + 4 + 4;
const cancelRequestBytesMax = fixedBytes + 4 + cancelKeyBytesMax;

/** An SSLRequest, as the proxy itself sends it upstream. */
export const sslRequest: Buffer = Buffer.alloc(fixedBytes);
sslRequest.writeUInt32BE(fixedBytes, 0);
sslRequest.writeUInt32BE(sslRequestCode, 4);

export function decodeStartupPacket(bytes: Buffer): StartupPacket {
  if (bytes.length < 4) return { kind: 'incomplete' };
  const packetBytes = bytes.readUInt32BE(0);
  if (packetBytes < fixedBytes || packetBytes > startupPacketBytesMax) return { kind: 'malformed' };
  if (bytes.length < packetBytes) return { kind: 'incomplete' };
  const code = bytes.readUInt32BE(4);
  switch (code) {
    case sslRequestCode:
      return { kind: 'ssl-request', packetBytes };
    case gssRequestCode:
      return { kind: 'gss-request', packetBytes };
    case cancelRequestCode:
      return packetBytes < cancelRequestBytesMin || packetBytes > cancelRequestBytesMax
        ? { kind: 'malformed' }
        : {
            kind: 'cancel-request',
            packetBytes,
            backendKey: bytes.subarray(fixedBytes, packetBytes),
          };
    default:
      return {
        kind: 'startup',
        packetBytes,
        major: code >>> 16,
        minor: code & 0xffff,
        parameters: decodeParameters(bytes, packetBytes),
      };
  }
}

/** Pairs of strings up to an empty name; whatever is odd about them is for the server to say. */
function decodeParameters(bytes: Buffer, packetBytes: number): Map<string, string> {
  const parameters = new Map<string, string>();
  const strings = bytes.toString('utf8', fixedBytes, packetBytes).split('\0');
  for (let i = 0; i + 1 < strings.length && strings[i] !== ''; i += 2) {
    parameters.set(strings[i]!, strings[i + 1]!);
  }
  return parameters;
}

const falseWords = ['false', 'no', 'off', '0'];

/**
 * Whether the startup parameters ask for a replication connection. Postgres takes `database` or any
 * spelling of a boolean; whatever is not clearly false is left for the server to judge.
 */
export function asksForReplication(parameters: ReadonlyMap<string, string>): boolean {
  const value = parameters.get('replication')?.trim().toLowerCase();
  if (value === undefined) return false;
  // "o" alone is ambiguous between on and off, and an error in Postgres too.
  return !falseWords.some((word) => word.startsWith(value) && value !== '' && value !== 'o');
}

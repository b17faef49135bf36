/** Packets that begin a connection, as drivers do not let tests send them. */

const cancelRequestCode = 80877102;
const sslRequestCode = 80877103;
const gssRequestCode = 80877104;

function packet(code: number, body: Buffer): Buffer {
  const bytes = Buffer.alloc(8 + body.length);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(code, 4);
  body.copy(bytes, 8);
  return bytes;
}

export function startupPacket(
  parameters: Readonly<Record<string, string>>,
  minor = 0,
  major = 3,
): Buffer {
  const strings = Object.entries(parameters).flat();
  return packet(major * 65_536 + minor, Buffer.from(`${strings.join('\0')}\0\0`));
}

/** From the body of a BackendKeyData: process id and key. */
export function cancelRequest(key: Buffer | undefined): Buffer {
  return packet(cancelRequestCode, key ?? Buffer.alloc(0));
}

export const sslRequest: Buffer = packet(sslRequestCode, Buffer.alloc(0));
export const gssRequest: Buffer = packet(gssRequestCode, Buffer.alloc(0));

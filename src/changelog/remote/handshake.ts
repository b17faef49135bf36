import {
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { logStreamDamaged } from '../../core/errors/log-stream.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { streamVersion, streamVersionMin } from './protocol.ts';

/*
 * How two nodes prove to each other that they know the secret of a database, without sending it:
 *
 *   client  hello      magic · oldest and newest version u16 · nonce · public key · database
 *   server  challenge  version u16, 0: none in common · nonce · public key · instance · proof
 *   client  proof      proof
 *
 * Keys are derived from the secret, a Diffie-Hellman exchange of keys made for this connection, and
 * the hash of everything both have said before the first proof. So a proof is of no use on another
 * connection, nothing in between can change what was said (an older version, another key), and who
 * learns the secret later cannot read what was sent before. Each direction has its own keys, so a
 * proof cannot be sent back to who made it.
 */
const magic = Buffer.from('HELIOSLG');
const nonceBytes = 32;
const publicKeyBytes = 32;
const proofBytes = 32;
const keyBytes = 32;
export const instanceBytes = 16;
/** What stands before the 32 bytes of an X25519 key in its DER form. */
const publicKeyPrefix = Buffer.from('302a300506032b656e032100', 'hex');

/** The keys of one connection. */
export type ConnectionKeys = {
  readonly clientProof: Buffer;
  readonly serverProof: Buffer;
  /** Seals what the client sends, and what the server sends. */
  readonly fromClient: Buffer;
  readonly fromServer: Buffer;
};

/** One side's half of the exchange. */
export type OwnHalf = { readonly nonce: Buffer; readonly privateKey: KeyObject };

export type Hello = {
  readonly bytes: Buffer;
  readonly versionMin: number;
  readonly versionMax: number;
  readonly publicKey: Buffer;
  readonly database: string;
};

export function makeHello(database: string): { readonly hello: Hello; readonly half: OwnHalf } {
  const { half, publicKey } = makeHalf();
  const writer = new ByteWriter();
  writer.u16(streamVersionMin);
  writer.u16(streamVersion);
  writer.text(database);
  const bytes = Buffer.concat([magic, half.nonce, publicKey, writer.view()]);
  const versions = { versionMin: streamVersionMin, versionMax: streamVersion };
  return { hello: { bytes, ...versions, publicKey, database }, half };
}

export function readHello(bytes: Buffer): Hello {
  const reader = new ByteReader(bytes);
  if (!reader.bytes(magic.length).equals(magic)) throw logStreamDamaged('It is no hello.');
  reader.bytes(nonceBytes);
  const publicKey = reader.bytes(publicKeyBytes);
  const [versionMin, versionMax] = [reader.u16(), reader.u16()];
  const database = reader.string();
  reader.end();
  return { bytes, versionMin, versionMax, publicKey, database };
}

/** The newest version both speak; 0 when there is none. */
export function commonVersion({ versionMin, versionMax }: Hello): number {
  const newest = Math.min(versionMax, streamVersion);
  return newest < Math.max(versionMin, streamVersionMin) ? 0 : newest;
}

export type Challenge = {
  /** Without the proof. */
  readonly bytes: Buffer;
  readonly version: number;
  readonly publicKey: Buffer;
  readonly instance: string;
};

export function makeChallenge(
  hello: Hello,
  instance: Buffer,
): { readonly challenge: Challenge; readonly half: OwnHalf } {
  const { half, publicKey } = makeHalf();
  const version = commonVersion(hello);
  const writer = new ByteWriter();
  writer.u16(version);
  const bytes = Buffer.concat([writer.view(), half.nonce, publicKey, instance]);
  return {
    challenge: { bytes, version, publicKey, instance: instance.toString('hex') },
    half,
  };
}

export function readChallenge(frame: Buffer): Challenge & { readonly proof: Buffer } {
  const reader = new ByteReader(frame);
  const version = reader.u16();
  reader.bytes(nonceBytes);
  const publicKey = reader.bytes(publicKeyBytes);
  const instance = reader.bytes(instanceBytes).toString('hex');
  const proof = reader.bytes(proofBytes);
  reader.end();
  return { bytes: frame.subarray(0, -proofBytes), version, publicKey, instance, proof };
}

/** @throws PgError 08P01 when the key of the other side is none */
export function connectionKeys(exchange: {
  readonly secret: Buffer;
  readonly half: OwnHalf;
  readonly otherPublicKey: Buffer;
  readonly hello: Hello;
  readonly challenge: Challenge;
}): ConnectionKeys {
  const { secret, half, otherPublicKey, hello, challenge } = exchange;
  const said = createHash('sha256').update(hello.bytes).update(challenge.bytes).digest();
  const key = Buffer.concat([secret, agree(half, otherPublicKey)]);
  const derived = Buffer.from(hkdfSync('sha256', key, said, 'heliosdb log stream', 4 * keyBytes));
  const at = (index: number): Buffer => derived.subarray(index * keyBytes, (index + 1) * keyBytes);
  return {
    clientProof: createHmac('sha256', at(0)).update(said).digest(),
    serverProof: createHmac('sha256', at(1)).update(said).digest(),
    fromClient: at(2),
    fromServer: at(3),
  };
}

export function isProof(given: Buffer, wanted: Buffer): boolean {
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function makeHalf(): { readonly half: OwnHalf; readonly publicKey: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(publicKeyPrefix.length);
  return { half: { nonce: randomBytes(nonceBytes), privateKey }, publicKey: raw };
}

function agree({ privateKey }: OwnHalf, other: Buffer): Buffer {
  try {
    const key = Buffer.concat([publicKeyPrefix, other]);
    const publicKey = createPublicKey({ key, type: 'spki', format: 'der' });
    return diffieHellman({ privateKey, publicKey });
  } catch {
    throw logStreamDamaged('A public key is none.');
  }
}

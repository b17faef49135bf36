import { createCipheriv, createDecipheriv } from 'node:crypto';
import { logStreamDamaged } from '../../core/errors/log-stream.ts';

const algorithm = 'aes-256-gcm';
const tagBytes = 16;
const lengthBytes = 4;

/** How much longer a sealed frame is than what is in it. */
export const sealBytes: number = tagBytes;

/**
 * Encrypts frames in order. The number of a frame is its nonce, so that one that is repeated, left
 * out or moved does not open.
 */
export class Sealer {
  readonly #key: Buffer;
  #number = 0n;

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** With its length before it. */
  seal(...parts: readonly Buffer[]): Buffer {
    const cipher = createCipheriv(algorithm, this.#key, nonceOf(this.#number));
    this.#number += 1n;
    const sealed = parts.map((part) => cipher.update(part));
    const last = cipher.final();
    return framed(...sealed, last, cipher.getAuthTag());
  }
}

export class Opener {
  readonly #key: Buffer;
  #number = 0n;

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** @throws PgError 08P01 for anything but the next frame of the other side */
  open(frame: Buffer): Buffer {
    if (frame.length < tagBytes) throw logStreamDamaged('A frame is too short.');
    const opening = createDecipheriv(algorithm, this.#key, nonceOf(this.#number));
    this.#number += 1n;
    opening.setAuthTag(frame.subarray(-tagBytes));
    const opened = opening.update(frame.subarray(0, -tagBytes));
    try {
      opening.final();
    } catch {
      throw logStreamDamaged('A frame was changed on its way.');
    }
    return opened;
  }
}

/** A frame with its length before it. */
export function framed(...parts: readonly Buffer[]): Buffer {
  const length = Buffer.allocUnsafe(lengthBytes);
  length.writeUInt32BE(parts.reduce((sum, part) => sum + part.length, 0));
  return Buffer.concat([length, ...parts]);
}

function nonceOf(number: bigint): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(number, 4);
  return nonce;
}

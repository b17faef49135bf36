import { logDamaged } from '../core/errors/change-log.ts';
import { checksumBytes, seal, unseal } from './checked-bytes.ts';

/** Which columns were kept out of what comes next, as they lie in a log. */
export type StoredExclusions = {
  readonly columns: readonly string[];
  /** Transactions whose word nobody could see yet, in the order of their commits. */
  readonly unseen: readonly {
    /** In decimal. */
    readonly xid: string;
    readonly columns: readonly string[];
  }[];
};

export function encodeExclusions(stored: StoredExclusions): Buffer {
  const json = Buffer.from(JSON.stringify(stored));
  return seal(Buffer.concat([json, Buffer.alloc(checksumBytes)]));
}

/** @throws PgError XX001 when they are damaged */
export function decodeExclusions(sealed: Buffer): StoredExclusions {
  const what = 'What is kept out of the log';
  const json = unseal(sealed, what).toString('utf8');
  try {
    return JSON.parse(json) as StoredExclusions;
  } catch {
    throw logDamaged(`${what} is no JSON.`);
  }
}

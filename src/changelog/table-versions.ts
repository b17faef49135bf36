import type { TableVersion } from '../contracts/change.ts';
import { logDamaged } from '../core/errors/change-log.ts';
import { checksumBytes, seal, unseal } from './checked-bytes.ts';
import { versionKey } from './format.ts';
import type { LogStore } from './log-store.ts';

/** A table version before it has a number. */
export type TableShape = Omit<TableVersion, 'id'>;

/** Reads the versions a log knows; new ones appear while it is written. */
export class TableVersions {
  readonly #store: LogStore;
  readonly #byId: Map<number, TableVersion> = new Map();
  /** Below it all are known. */
  #scannedTo = 0;

  constructor(store: LogStore) {
    this.#store = store;
  }

  /** @throws PgError XX001 for a version that was never written */
  get(id: number): TableVersion {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const bytes = this.#store.versions.get(versionKey(id));
    if (bytes === undefined) throw logDamaged(`It has no table version ${id}.`);
    return this.#remember(id, bytes);
  }

  all(): readonly TableVersion[] {
    const start = versionKey(this.#scannedTo);
    for (const { key, value } of this.#store.versions.getRange({ start })) {
      const id = key.readUInt32BE(0);
      this.#remember(id, value);
      this.#scannedTo = id + 1;
    }
    return [...this.#byId.values()].sort((left, right) => left.id - right.id);
  }

  #remember(id: number, bytes: Buffer): TableVersion {
    const shape = JSON.parse(unseal(bytes, 'A table version').toString('utf8')) as TableShape;
    const version = { id, ...shape };
    this.#byId.set(id, version);
    return version;
  }
}

export function encodeShape(shape: TableShape): Buffer {
  return seal(Buffer.concat([Buffer.from(JSON.stringify(shape)), Buffer.alloc(checksumBytes)]));
}

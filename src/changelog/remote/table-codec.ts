import type { TableVersion } from '../../contracts/change.ts';
import { logStreamDamaged } from '../../core/errors/log-stream.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { knownTablesMax } from './limits.ts';

const texts: WeakMap<TableVersion, string> = new WeakMap();

/** A table version is JSON, which holds all it has exactly; it does not change, so it is kept. */
export function writeTable(writer: ByteWriter, table: TableVersion): void {
  let text = texts.get(table);
  if (text === undefined) {
    text = JSON.stringify(table);
    texts.set(table, text);
  }
  writer.text(text);
}

/** So that the same table version is the same object, and is not parsed with each answer. */
export class TableTexts {
  readonly #offset: number;
  readonly #known: Map<string, TableVersion> = new Map();

  /** @param offset added to the ids, which tells those of one log from those of another */
  constructor(offset: number) {
    this.#offset = offset;
  }

  tableOf(text: string): TableVersion {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const table = parse(text);
    const own = { ...table, id: table.id + this.#offset };
    if (this.#known.size >= knownTablesMax) this.#known.clear();
    this.#known.set(text, own);
    return own;
  }
}

export function readTable(reader: ByteReader, known: TableTexts): TableVersion {
  return known.tableOf(reader.string());
}

function parse(text: string): TableVersion {
  try {
    const table = JSON.parse(text) as TableVersion;
    if (Number.isInteger(table.id) && Array.isArray(table.columns)) return table;
  } catch {
    // Told below.
  }
  throw logStreamDamaged('A table version cannot be read.');
}

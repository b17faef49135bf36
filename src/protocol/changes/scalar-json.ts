import type { ValueKind } from '../../contracts/change.ts';
import { changeDamaged } from '../../core/errors/changes.ts';
import { isReadable } from './readable-json.ts';

export type ScalarKind = Exclude<ValueKind, object>;

/** How a value that is not NULL and no array is written as JSON. */
export type ScalarPrinter = (kind: ScalarKind, text: string) => string;

/** Exact: numbers and JSON are the text Postgres printed. */
export function printScalar(kind: ScalarKind, text: string): string {
  switch (kind) {
    case 'number':
      // NaN and the infinities are no JSON numbers; all others end in a digit.
      return isDigit(text.charCodeAt(text.length - 1)) ? text : JSON.stringify(text);
    case 'boolean':
      if (text === 't') return 'true';
      if (text === 'f') return 'false';
      throw changeDamaged('A boolean is neither t nor f.');
    case 'json':
      return text;
    case 'text':
      return JSON.stringify(text);
  }
}

/**
 * As `printScalar`, but Postgres can make a jsonb of it, in a database of this encoding. The type
 * json accepts more than jsonb can hold; such a value is given as a string that holds its text.
 */
export function scalarPrinterFor(encoding: string): ScalarPrinter {
  const isUtf8 = encoding === 'UTF8';
  return (kind, text) =>
    kind === 'json' && !isReadable(text, isUtf8) ? JSON.stringify(text) : printScalar(kind, text);
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

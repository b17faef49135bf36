import type { ValueKind } from '../../contracts/change.ts';
import { changeDamaged } from '../../core/errors/changes.ts';

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
 * As `printScalar`, but Postgres can take the JSON apart. The type json accepts the escape of NUL
 * and halves of surrogate pairs, which none of the functions that read JSON do; a value with one is
 * given as a string that holds its text.
 */
export function printScalarForPostgres(kind: ScalarKind, text: string): string {
  if (kind === 'json' && text.includes('\\u') && hasUnreadableEscape(text)) {
    return JSON.stringify(text);
  }
  return printScalar(kind, text);
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

function hasUnreadableEscape(json: string): boolean {
  for (let at = json.indexOf('\\'); at !== -1; at = json.indexOf('\\', at)) {
    const unit = escapedUnit(json, at);
    if (unit === undefined) {
      at += 2;
      continue;
    }
    if (unit === 0 || isLowSurrogate(unit)) return true;
    at += 6;
    if (!isHighSurrogate(unit)) continue;
    const next = escapedUnit(json, at);
    if (next === undefined || !isLowSurrogate(next)) return true;
    at += 6;
  }
  return false;
}

/** The UTF-16 unit of the `\uXXXX` at `at`; undefined when there is another escape or none. */
function escapedUnit(json: string, at: number): number | undefined {
  return json.startsWith('\\u', at) ? Number.parseInt(json.slice(at + 2, at + 6), 16) : undefined;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

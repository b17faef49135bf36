import { quoteIdentifier } from '../../core/quoting.ts';
import type { Source } from '../source.ts';
import type { Span } from './statement.ts';

/** Only ASCII letters are folded: what Postgres does in a multi-byte encoding. */
export function folded(word: string): string {
  return word.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** What a name names. */
export function nameAt(source: Source, { start, end }: Span): string {
  const written = source.text.slice(start, end);
  return written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : folded(written);
}

/** Names joined by dots, each quoted: the procedures read it whatever it holds. */
export function quotedPath(source: Source, names: readonly Span[]): string {
  return names.map((name) => quoteIdentifier(nameAt(source, name))).join('.');
}

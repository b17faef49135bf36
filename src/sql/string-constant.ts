import type { LexerOptions } from './lexer.ts';

const simpleEscapes: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** A doubled quote, or what parts two literals that Postgres joins. */
const plain = /''|'(?:\s|--[^\n\r]*)+'/g;
const escaped = new RegExp(
  `${plain.source}|\\\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{1,2})|([0-7]{1,3})|([^]))`,
  'g',
);

/**
 * The value of a string constant as it was written: '...', E'...' or $$...$$, also in several parts.
 * The lexer has seen that it is well formed.
 */
export function stringValue(written: string, options: LexerOptions): string {
  if (written.startsWith('$')) {
    const tag = written.indexOf('$', 1) + 1;
    return written.slice(tag, -tag);
  }
  const isEscaped = !written.startsWith("'");
  const hasEscapes = isEscaped || !options.standardConformingStrings;
  const content = written.slice(isEscaped ? 2 : 1, -1);
  return content.replaceAll(
    hasEscapes ? escaped : plain,
    (found: string, ...groups: (string | undefined)[]) => {
      if (found === "''") return "'";
      if (found.startsWith("'")) return '';
      const [short, long, hex, octal, other = ''] = groups;
      const code = short ?? long ?? hex;
      if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
      return simpleEscapes[other] ?? other;
    },
  );
}

/** The rules of tidy.test.ts over one text or name. */

const lineLengthMax = 100;
const forbiddenStems = ['util', 'utils', 'helper', 'helpers', 'common', 'misc', 'manager', 'base'];

/** What stands in a literal: SQL, messages and patterns are not broken for the sake of a column. */
const literal = /(['"`])(?:\\.|(?!\1).)*\1|\/(?:\\.|[^/\\\n])+\/[a-z]*/g;

export function longLines(text: string): number[] {
  const isLong = (line: string): boolean =>
    [...line].length > lineLengthMax && [...line.replaceAll(literal, "''")].length > lineLengthMax;
  return text.split('\n').flatMap((line, index) => (isLong(line) ? [index + 1] : []));
}

/** Names that say nothing attract everything. */
export function forbiddenStem(file: string): boolean {
  const name = file.slice(file.lastIndexOf('/') + 1);
  return name.split(/[-.]/).some((word) => forbiddenStems.includes(word));
}

type WordRule = {
  readonly pattern: RegExp;
  readonly instead: string;
  /** Files it is about; all when left out. */
  readonly within?: RegExp;
};

const product = /^src\/(?!testing\/)(?!.*\/testing\/)(?!.*\.test\.ts$).*\.ts$/;
const code = /\.(?:ts|mjs|cjs)$/;

// The words are put together here so that this file does not complain about itself.
const wordRules: readonly WordRule[] = [
  {
    pattern: new RegExp(`throw new ${'Error'}\\(`),
    instead: 'use a named constructor in src/core/errors',
    within: product,
  },
  {
    pattern: new RegExp(`\\b${'TO'}DO\\b(?!\\(#\\d+\\))`),
    instead: `write ${'TO'}DO(#number) with the number of an issue`,
    within: code,
  },
  { pattern: new RegExp(`\\b${'FIX'}ME\\b`), instead: 'mend it', within: code },
  {
    pattern: new RegExp(`\\b(?:describe|it|context)\\.${'only'}\\(`),
    instead: 'run all tests',
    within: code,
  },
  {
    pattern: new RegExp(`https?://[^\\s"']*(?:${'registry'}|${'npm'}js)\\.`),
    instead: 'leave the choice of a registry to the machine',
  },
  {
    pattern: new RegExp(`(?<![\\w.~/-])/(?:${['work', 'root', 'home/[a-z]'].join('|')})/[\\w.]`),
    instead: 'name no path of one machine',
  },
];

/** What a text says that it must not, each with what to do instead. */
export function wordComplaints(file: string, text: string): string[] {
  return wordRules
    .filter(({ within }) => within === undefined || within.test(file))
    .flatMap(({ pattern, instead }) => {
      const found = pattern.exec(text);
      if (found === null) return [];
      const line = text.slice(0, found.index).split('\n').length;
      return [`line ${line} has ${found[0]}, ${instead}`];
    });
}

/** Links of a Markdown text to files, without those that lead to other sites or headings. */
export function brokenLinks(text: string, exists: (path: string) => boolean): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
    .map(([, link]) => link ?? '')
    .filter((link) => !/^[a-z]+:/.test(link) && !exists(link));
}

import * as errors from '../../core/errors/cdc.ts';
import { quoteIdentifier } from '../../core/quoting.ts';
import { fixedMicros, readIntervalLiteral } from '../interval-literal.ts';
import type { LexerOptions } from '../lexer.ts';
import type { Source } from '../source.ts';
import { stringValue } from '../string-constant.ts';
import type { CaptureAction, Span } from './statement.ts';

/** What the actions of grammar/alter-cdc-capture.peggy answer. */
export type CaptureTree =
  | { readonly action: 'enable' | 'disable' | 'resume' }
  | { readonly action: 'set'; readonly options: readonly SettingTree[] }
  | { readonly action: 'reset'; readonly options: readonly Span[] }
  | { readonly action: 'exclude' | 'include'; readonly columns: readonly (readonly Span[])[] };

type SettingTree = { readonly option: Span; readonly value: Span & { readonly kind: ValueKind } };
type ValueKind = 'string' | 'bare';

type Option = {
  /** For a hint: what may be written. */
  readonly expected: string;
  /** False for what cannot be right; whatever else is wrong the procedure finds. */
  readonly fits: (value: string) => boolean;
};

const bytes: Option = {
  expected: "a size in B, kB, MB, GB or TB, such as '1GB'",
  fits: (value) => /^\s*\d+(?:\.\d+)?\s*(?:B|kB|MB|GB|TB)?\s*$/.test(value),
};

const interval: Option = {
  expected: "an interval that is not negative, such as '10 minutes'",
  fits: (value) => {
    const known = readIntervalLiteral(value);
    // Postgres knows more spellings than are read here.
    if (known === undefined) return value.trim() !== '';
    return known.months >= 0 && fixedMicros(known) >= 0n;
  },
};

const captureOptions: ReadonlyMap<string, Option> = new Map([
  ['max_slot_lag', bytes],
  ['hold_for', interval],
  ['retention_bytes', bytes],
  ['retention_age', interval],
  [
    'confirm',
    {
      expected: "'delivered' or 'logged'",
      fits: (value: string) => value === 'delivered' || value === 'logged',
    },
  ],
]);

export function readAlterCdcCapture(
  source: Source,
  tree: CaptureTree,
  options: LexerOptions,
): CaptureAction {
  switch (tree.action) {
    case 'enable':
    case 'disable':
    case 'resume':
      return { action: tree.action };
    case 'set': {
      const settings = tree.options.map(({ option, value }) => ({
        option,
        value: settingValue(source, value, options),
        at: { position: source.positionOf(value.start) },
      }));
      return { action: 'set', options: collect(source, settings) };
    }
    case 'reset': {
      const settings = tree.options.map((option) => ({ option, value: null }));
      return { action: 'set', options: collect(source, settings) };
    }
    case 'exclude':
    case 'include':
      return { action: tree.action, columns: tree.columns.map((names) => path(source, names)) };
  }
}

type Setting = {
  readonly option: Span;
  readonly value: string | null;
  /** Of the value. */
  readonly at?: { readonly position: number };
};

function collect(
  source: Source,
  settings: readonly Setting[],
): Readonly<Record<string, string | null>> {
  const collected: Map<string, string | null> = new Map();
  for (const { option, value, at } of settings) {
    const name = folded(source.text.slice(option.start, option.end));
    const optionAt = { position: source.positionOf(option.start) };
    const known = captureOptions.get(name);
    if (known === undefined) {
      throw errors.captureOptionUnrecognised(name, [...captureOptions.keys()], optionAt);
    }
    if (collected.has(name)) throw errors.captureOptionTwice(name, optionAt);
    if (value !== null && !known.fits(value)) {
      throw errors.captureOptionInvalid(name, value, known.expected, at ?? optionAt);
    }
    collected.set(name, value);
  }
  return Object.fromEntries(collected);
}

function settingValue(source: Source, value: SettingTree['value'], options: LexerOptions): string {
  const written = source.text.slice(value.start, value.end);
  return value.kind === 'string' ? stringValue(written, options) : folded(written);
}

/** A name as Postgres takes it, quoted: the procedures read it whatever it holds. */
function path(source: Source, names: readonly Span[]): string {
  return names
    .map(({ start, end }) => source.text.slice(start, end))
    .map((name) => (name.startsWith('"') ? name : quoteIdentifier(folded(name))))
    .join('.');
}

/** Only ASCII letters are folded: what Postgres does in a multi-byte encoding. */
function folded(word: string): string {
  return word.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

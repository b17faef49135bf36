import * as errors from '../../core/errors/cdc.ts';
import type { LexerOptions } from '../lexer.ts';
import type { Source } from '../source.ts';
import { stringValue } from '../string-constant.ts';
import { folded } from './names.ts';
import type { OptionValue, Span } from './statement.ts';

/** What the rule Setting of grammar/lexical.peggy answers. */
export type SettingTree = {
  readonly option: Span;
  readonly value: Span & {
    readonly kind: 'string' | 'bare' | 'secret';
    /** Of a secret: where it is. */
    readonly source?: 'env' | 'file';
  };
};

export type OptionSpec = {
  /** For a hint: what may be written. */
  readonly expected: string;
  /** False for what cannot be right; whatever else is wrong is found by who uses it. */
  readonly fits: (value: string) => boolean;
  /** May be given as ENV 'NAME' or FILE '/path', and is never shown. */
  readonly isSecret?: boolean;
  /** There is no default. */
  readonly isNeeded?: boolean;
};

export type OptionSpecs = {
  /** What has these options, for a message: `capture`, `kafka connector`. */
  readonly of: string;
  readonly specs: ReadonlyMap<string, OptionSpec>;
};

/** Options that are set; each once, each known, each with a value that can be right. */
export function readSettings(
  source: Source,
  settings: readonly SettingTree[],
  specs: OptionSpecs,
  options: LexerOptions,
): Readonly<Record<string, OptionValue>> {
  const collected: Map<string, OptionValue> = new Map();
  for (const { option, value } of settings) {
    const name = nameOf(source, option, specs, collected);
    const spec = specs.specs.get(name)!;
    const at = { position: source.positionOf(value.start) };
    const read = readValue(source, value, options);
    const fits = typeof read === 'string' ? spec.fits(read) : spec.isSecret === true;
    if (!fits) {
      const written = source.text.slice(value.start, value.end);
      const shown = typeof read === 'string' ? read : `${value.source?.toUpperCase()} ${written}`;
      // A secret that was mistyped is not repeated either.
      throw errors.optionInvalid(specs.of, name, spec.isSecret ? undefined : shown, {
        expected: spec.expected,
        at,
      });
    }
    collected.set(name, read);
  }
  return Object.fromEntries(collected);
}

/** Options that go back to their defaults, as nulls. */
export function readResets(
  source: Source,
  names: readonly Span[],
  specs: OptionSpecs,
): Readonly<Record<string, null>> {
  const collected: Map<string, null> = new Map();
  for (const option of names) collected.set(nameOf(source, option, specs, collected), null);
  return Object.fromEntries(collected);
}

function nameOf(
  source: Source,
  option: Span,
  { of, specs }: OptionSpecs,
  collected: ReadonlyMap<string, unknown>,
): string {
  const name = folded(source.text.slice(option.start, option.end));
  const at = { position: source.positionOf(option.start) };
  if (!specs.has(name)) throw errors.optionUnrecognised(of, name, [...specs.keys()], at);
  if (collected.has(name)) throw errors.optionTwice(of, name, at);
  return name;
}

function readValue(
  source: Source,
  value: SettingTree['value'],
  options: LexerOptions,
): OptionValue {
  const written = source.text.slice(value.start, value.end);
  if (value.kind === 'bare') return folded(written);
  const text = stringValue(written, options);
  if (value.source === 'env') return { env: text };
  return value.source === 'file' ? { file: text } : text;
}

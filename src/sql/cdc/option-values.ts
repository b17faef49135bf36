import { fixedMicros, readIntervalLiteral } from '../interval-literal.ts';
import type { OptionSpec } from './options.ts';

export const bytes: OptionSpec = {
  expected: "a size in B, kB, MB, GB or TB, such as '1GB'",
  fits: (value) => /^\s*\d+(?:\.\d+)?\s*(?:B|kB|MB|GB|TB)?\s*$/.test(value),
};

export const interval: OptionSpec = {
  expected: "an interval that is not negative, such as '10 minutes'",
  fits: (value) => {
    const known = readIntervalLiteral(value);
    // Postgres knows more spellings than are read here.
    if (known === undefined) return value.trim() !== '';
    return known.months >= 0 && fixedMicros(known) >= 0n;
  },
};

/** One of these words. */
export function oneOf(...words: readonly string[]): OptionSpec {
  const quoted = words.map((word) => `'${word}'`);
  return {
    expected: `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`,
    fits: (value) => words.includes(value),
  };
}

export function countUpTo(most: number): OptionSpec {
  return {
    expected: `a whole number from 1 to ${most}`,
    fits: (value) => /^\d{1,15}$/.test(value) && Number(value) >= 1 && Number(value) <= most,
  };
}

export function text(expected: string): OptionSpec {
  return { expected, fits: (value) => value.trim() !== '' };
}

export function secret(expected: string): OptionSpec {
  return { ...text(`${expected}, ENV 'NAME' or FILE '/path'`), isSecret: true };
}

export const onOff: OptionSpec = oneOf('on', 'off', 'true', 'false');

export function needed(spec: OptionSpec): OptionSpec {
  return { ...spec, isNeeded: true };
}

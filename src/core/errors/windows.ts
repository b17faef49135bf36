import { PgError } from './pg-error.ts';

/** Where a window error points: the 1-based character of the client's text. */
export type At = { readonly position: number };

/** What each window is written like; quoted in hints. */
export const windowForms: Readonly<Record<string, string>> = {
  tumble: "TUMBLE(time, size [, origin | 'Time/Zone'])",
  hop: "HOP(time, slide, size [, origin | 'Time/Zone'])",
  session: 'SESSION(time, gap)',
  'tumble of a table': "TUMBLE(TABLE t, DESCRIPTOR(time), size [, origin | 'Time/Zone'])",
  'hop of a table': "HOP(TABLE t, DESCRIPTOR(time), slide, size [, origin | 'Time/Zone'])",
  'session of a table': 'SESSION(TABLE t [PARTITION BY key, ...], DESCRIPTOR(time), gap)',
};

function formHint(kind: string): string {
  return `Write ${windowForms[kind] ?? kind}.`;
}

export function windowArgumentCount(name: string, kind: string, count: number, at: At): PgError {
  return new PgError({
    code: '42883',
    message: `function ${name} with ${count} ${count === 1 ? 'argument' : 'arguments'} does not exist`,
    hint: formHint(kind),
    ...at,
  });
}

export function windowArgumentName(name: string, kind: string, argument: string, at: At): PgError {
  return new PgError({
    code: '42883',
    message: `function ${name} has no argument named "${argument}"`,
    hint: `${formHint(kind)} The named arguments are origin and timezone.`,
    ...at,
  });
}

export function windowPositionalAfterNamed(at: At): PgError {
  return new PgError({
    code: '42601',
    message: 'positional argument cannot follow named argument',
    ...at,
  });
}

export function windowArgumentTwice(argument: string, at: At): PgError {
  return new PgError({
    code: '42601',
    message: `argument name "${argument}" used more than once`,
    hint: 'Give it once, by its place or by its name.',
    ...at,
  });
}

/** @param types the argument types as Postgres would list them, the time's first */
export function windowTimeType(
  name: string,
  types: readonly string[],
  kind: string,
  at: At,
): PgError {
  return new PgError({
    code: '42883',
    message: `function ${name}(${types.join(', ')}) does not exist`,
    detail: `The time of a window must be date, timestamp or timestamp with time zone, not ${types[0]}.`,
    hint: `${formHint(kind)} You might need to add an explicit type cast to the time.`,
    ...at,
  });
}

export function windowSizeType(name: string, argument: string, kind: string, at: At): PgError {
  return new PgError({
    code: '42883',
    message: `the ${argument} of ${name} must be an interval`,
    hint: `${formHint(kind)} A size is an interval, for example INTERVAL '1 minute'.`,
    ...at,
  });
}

export function windowSizeNotPositive(argument: string, value: string, at: At): PgError {
  return new PgError({
    code: '22023',
    message: `window ${argument} must be positive`,
    detail: `The ${argument} given is ${value}.`,
    hint: "Use an interval greater than zero, for example INTERVAL '1 minute'.",
    ...at,
  });
}

export function windowSizeMixed(argument: string, value: string, at: At): PgError {
  return new PgError({
    code: '0A000',
    message: `window ${argument} mixes months with shorter units`,
    detail: `The ${argument} given is ${value}.`,
    hint: 'Use whole months and years alone, or weeks, days, hours and shorter alone.',
    ...at,
  });
}

export function sessionGapMonths(value: string, at: At): PgError {
  return new PgError({
    code: '0A000',
    message: 'session gap cannot hold months or years',
    detail: `The gap given is ${value}.`,
    hint: 'Use days, hours or shorter units.',
    ...at,
  });
}

export function zoneSizeNotWhole(argument: string, value: string, at: At): PgError {
  return new PgError({
    code: '0A000',
    message: `window ${argument} of a day or more must be whole days or whole months in a time zone`,
    detail: `The ${argument} given is ${value}.`,
    hint: 'Use whole days or months, or a size shorter than a day.',
    ...at,
  });
}

export function zoneNeedsTimestamptz(type: string, at: At): PgError {
  return new PgError({
    code: '42883',
    message: `a window in a time zone needs timestamp with time zone, not ${type}`,
    hint: 'Cast the time to timestamptz, or leave the time zone out.',
    ...at,
  });
}

export function hopSlideExceedsSize(slide: string, size: string, at: At): PgError {
  return new PgError({
    code: '22023',
    message: 'window slide must not exceed its size',
    detail: `The slide is ${slide} and the size is ${size}; rows between two windows would be lost.`,
    hint: 'HOP takes the slide first, then the size: HOP(time, slide, size).',
    ...at,
  });
}

export function windowNeedsGroupBy(name: string, kind: string, at: At): PgError {
  const form =
    kind === 'hop'
      ? 'HOP(TABLE t, DESCRIPTOR(time), slide, size)'
      : 'SESSION(TABLE t, DESCRIPTOR(time), gap)';
  return new PgError({
    code: '0A000',
    message: `${name} needs a GROUP BY that holds the window`,
    hint: `Add the window to GROUP BY, or read the windows of each row with FROM ${form}.`,
    ...at,
  });
}

export function windowNotAllowedIn(name: string, kind: string, clause: string, at: At): PgError {
  const base = windowNeedsGroupBy(name, kind, at);
  return new PgError({
    code: '0A000',
    message: `${name} is not allowed in ${clause}`,
    hint: base.hint,
    ...at,
  });
}

export function windowsDiffer(at: At): PgError {
  return new PgError({
    code: '0A000',
    message: 'a query level cannot group by two different windows',
    hint: 'Compute one of the windows in a subquery.',
    ...at,
  });
}

export function windowNotGrouped(name: string, at: At): PgError {
  return new PgError({
    code: '42803',
    message: `${name} must appear in the GROUP BY clause`,
    hint: 'Use the same time, sizes, origin and time zone as the window in GROUP BY.',
    ...at,
  });
}

export function windowNotAlone(name: string, at: At): PgError {
  return new PgError({
    code: '0A000',
    message: `${name} must stand alone in GROUP BY`,
    hint: 'Group by the window itself, and by the larger expression in an outer query.',
    ...at,
  });
}

export function windowInGroupingSets(name: string, at: At): PgError {
  return new PgError({
    code: '0A000',
    message: `${name} is not supported in ROLLUP, CUBE or GROUPING SETS`,
    detail: 'What a session is depends on the other grouping columns.',
    hint: 'Compute the sessions in a subquery and group its result.',
    ...at,
  });
}

export function windowArgumentNotConstant(name: string, argument: string, at: At): PgError {
  return new PgError({
    code: '0A000',
    message: `the ${argument} of ${name} must not depend on the row`,
    hint: 'Use a constant or a parameter.',
    ...at,
  });
}

export function windowThirdArgumentAmbiguous(name: string, at: At): PgError {
  return new PgError({
    code: '42P18',
    message: `could not determine whether the last argument of ${name} is an origin or a time zone`,
    hint: "Cast it (to timestamptz or text), or name it: origin => ... or timezone => '...'.",
    ...at,
  });
}

export function windowTimeTypeUnknown(name: string, at: At): PgError {
  return new PgError({
    code: '0A000',
    message: `the type of the time of ${name} is not known here`,
    detail:
      'Calendar windows need it, and an earlier statement of the same query string may change it.',
    hint: 'Send this statement in a query string of its own.',
    ...at,
  });
}

export function windowDecoration(message: string, at: At): PgError {
  return new PgError({ code: '42809', message, ...at });
}

export function windowUnsupportedHere(name: string, what: string, hint: string, at: At): PgError {
  return new PgError({
    code: '0A000',
    message: `${name} is not supported with ${what}`,
    hint,
    ...at,
  });
}

export function statementTooComplex(detail: string): PgError {
  return new PgError({
    code: '54001',
    message: 'stack depth limit exceeded',
    detail,
    hint: 'Split the statement, or write the window with date_bin().',
  });
}

import type { ErrorFields, ErrorRewrite } from '../contracts/rewriter.ts';
import type { PgError } from '../core/errors/pg-error.ts';
import { runTimeFailures } from './windows/run-time-length.ts';

const refused = 'heliosdb_refused';

/**
 * A statement that fails in the backend at the step where Postgres would have refused the client's
 * own: during analysis, so that a failed transaction still answers 25P02 and everything before it
 * is rolled back by Postgres itself. The server's log shows why.
 */
export function refusalText(error: PgError): string {
  // What a message quotes must neither end the comment nor begin one in it.
  const message = error.message.replaceAll('*/', '* /').replaceAll('/*', '/ *');
  return `SELECT ${refused} /* ${message} */`;
}

/** Begins a statement that fails whatever follows, be it read or not. */
export const refusalStart: string = `SELECT ${refused} `;

/** What the client sees of that failure. */
export function refusalRewrite(error: PgError): ErrorRewrite {
  return { when: { code: '42703', messageIncludes: refused }, fields: fieldsOf(error) };
}

export function fieldsOf(error: PgError): ErrorFields {
  return {
    code: error.code,
    message: error.message,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.position === undefined ? {} : { position: error.position }),
  };
}

const notPositive: ErrorFields = {
  code: '22023',
  message: 'window size must be positive',
  detail:
    'A size, slide or gap given as a parameter is zero or negative, or a slide exceeds its size.',
  hint: "Use an interval greater than zero, for example INTERVAL '1 minute'.",
};

/** Errors of date_bin for a size that was only known when the statement ran. */
const binRewrites = ['timestamptz_bin', 'timestamp_bin'].flatMap(
  (routine): readonly ErrorRewrite[] => [
    { when: { code: '22008', routine }, fields: notPositive },
    {
      when: { code: '0A000', routine },
      fields: {
        code: '0A000',
        message: 'window size given as a parameter cannot hold months or years here',
        hint: 'Write the size as a constant, or use days and shorter units.',
      },
    },
  ],
);

/** What becomes of the errors that a length can only raise when the statement runs. */
export const runTimeRewrites: readonly ErrorRewrite[] = [
  ...binRewrites,
  { when: failure('notPositive'), fields: notPositive },
  {
    when: failure('months'),
    fields: {
      code: '0A000',
      message: 'session gap cannot hold months or years',
      hint: 'Use days, hours or shorter units.',
    },
  },
  {
    when: failure('notWhole'),
    fields: {
      code: '0A000',
      message: 'window size of a day or more must be whole days or whole months in a time zone',
      hint: 'Use whole days or months, or a size shorter than a day.',
    },
  },
];

function failure(name: keyof typeof runTimeFailures): ErrorRewrite['when'] {
  return { code: '22007', messageIncludes: runTimeFailures[name] };
}

/** What helps with a window function called inside a function body: those are not lowered. */
export const bodyRewrites: readonly ErrorRewrite[] = ['tumble', 'hop', 'session'].flatMap((kind) =>
  ['', '_start', '_end'].map((edge) => ({
    when: { code: '42883', messageIncludes: `function ${kind}${edge}(` },
    fields: {
      hint: 'Windows are not lowered inside function bodies: use date_bin(), or a view that holds the window.',
    },
  })),
);

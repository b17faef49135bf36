import assert from 'node:assert/strict';
import type { ErrorFields, RewriteInput } from '../../contracts/rewriter.ts';
import type * as errors from '../../core/errors/windows.ts';
import { rewrite } from '../../lowering/rewrite.ts';

/** A text and the error it gets; `¦` stands before the character POSITION points at. */
export type Refused = {
  readonly text: string;
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  /** Answers of the probe; without them it was not possible. */
  readonly types?: readonly number[];
};

/** What is wrong with the arguments of a window. */
export type ArgumentError =
  | 'windowArgumentCount'
  | 'windowArgumentName'
  | 'windowPositionalAfterNamed'
  | 'windowArgumentTwice'
  | 'windowTimeType'
  | 'windowSizeType'
  | 'windowSizeNotPositive'
  | 'windowSizeMixed'
  | 'sessionGapMonths'
  | 'zoneSizeNotWhole'
  | 'zoneNeedsTimestamptz'
  | 'hopSlideExceedsSize'
  | 'windowArgumentNotConstant'
  | 'windowThirdArgumentAmbiguous'
  | 'windowTimeTypeUnknown'
  | 'windowDecoration';

/** What is wrong with the place of a window: all the others that have a position. */
export type PlaceError = Exclude<
  keyof typeof errors,
  ArgumentError | 'windowForms' | 'statementTooComplex'
>;

/** A test per text: all fields of the error, and where it points. */
export function testRefusals(refusals: Readonly<Record<string, readonly Refused[]>>): void {
  for (const [name, cases] of Object.entries(refusals)) {
    for (const refused of cases) {
      it(`${name}: ${refused.text.replace('¦', '')}`, async () => {
        const { types, text, ...fields } = refused;
        const position = [...text].indexOf('¦') + 1;
        const given = await refusalOf(text.replace('¦', ''), types);
        assert.deepEqual(given, { ...fields, position });
      });
    }
  }
}

async function refusalOf(text: string, types: readonly number[] | undefined): Promise<ErrorFields> {
  const input: RewriteInput = {
    text,
    protocol: 'simple',
    standardConformingStrings: true,
    parameterTypes: [],
    discovery:
      types === undefined ? { kind: 'impossible' } : { kind: 'done', types, surveyed: null },
  };
  const answer = await rewrite(input);
  assert.ok(answer.kind === 'send', `${answer.kind} instead of a refusal`);
  assert.equal(answer.loweredStatements, 0, answer.text);
  const fields = answer.errors[0]?.fields;
  assert.ok(fields !== undefined && 'code' in fields, answer.text);
  return fields;
}

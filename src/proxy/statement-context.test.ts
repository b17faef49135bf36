import assert from 'node:assert/strict';
import type { ErrorRewrite } from '../contracts/rewriter.ts';
import { textCoding } from '../protocol/client-encoding.ts';
import {
  decodeResponseFields,
  encodeErrorResponse,
  encodeNoticeResponse,
} from '../protocol/error-response.ts';
import { rewordResponse, type StatementContext } from './statement-context.ts';

const coding = textCoding('UTF8', Buffer.alloc(0))!;

function contextOf(...errors: readonly ErrorRewrite[]): StatementContext {
  const translator = {
    fromSent: (position: number) => position + 100,
    fromClient: (position: number) => position,
  };
  return { coding, errors, tags: [], weight: 0, translator };
}

function reword(
  context: StatementContext,
  fields: Readonly<Record<string, string>>,
  encode: typeof encodeErrorResponse = encodeErrorResponse,
) {
  const pairs = Object.entries(fields).map(([code, value]) => [code, Buffer.from(value)] as const);
  const bytes = encode(new Map(pairs));
  const reworded = rewordResponse(context, { type: bytes[0]!, bytes, start: 0, end: bytes.length });
  if (reworded === undefined) return undefined;
  const decoded = decodeResponseFields(reworded.bytes, 0, reworded.bytes.length) ?? [];
  return {
    refusal: reworded.refusal,
    type: reworded.bytes[0],
    fields: Object.fromEntries([...decoded].map(([code, value]) => [code, value.toString()])),
  };
}

const original = {
  S: 'FEHLER',
  V: 'ERROR',
  C: '22012',
  M: 'Division durch Null',
  D: 'detail',
  H: 'hint',
  P: '7',
  W: 'SQL function "f" during startup',
  s: 'schema',
  t: 'table',
  c: 'column',
  d: 'type',
  n: 'constraint',
  F: 'int.c',
  L: '841',
  R: 'int4div',
};

const wording: ErrorRewrite = {
  when: { code: '22012', routine: 'int4div', messageIncludes: 'Null' },
  fields: { code: '22023', message: 'gröber als erlaubt', hint: 'try less', position: 3 },
};

describe('wording of errors', () => {
  it('sets what the rewrite says and drops what speaks of generated SQL', () => {
    assert.deepEqual(reword(contextOf(wording), original)?.fields, {
      S: 'FEHLER',
      V: 'ERROR',
      C: '22023',
      M: 'gröber als erlaubt',
      H: 'try less',
      P: '3',
      W: original.W,
    });
    assert.equal(reword(contextOf(wording), original)?.refusal, '22023');
  });

  it('drops the context of an internal query, keeps fields it does not know', () => {
    const fields = reword(contextOf(wording), {
      ...original,
      q: 'SELECT',
      p: '2',
      X: 'new',
    })?.fields;
    assert.equal(fields?.['W'], undefined);
    assert.equal(fields?.['q'], undefined);
    assert.equal(fields?.['X'], 'new');
  });

  it('uses the first that fits in every condition', () => {
    const other = { ...wording, fields: { code: '54000', message: 'other' } };
    for (const when of [
      { code: '22013' },
      { code: '22012', routine: 'float8div' },
      { code: '22012', messageIncludes: 'zero' },
    ]) {
      const misfit: ErrorRewrite = { when, fields: { code: 'XX000', message: 'misfit' } };
      assert.equal(reword(contextOf(misfit, wording, other), original)?.fields['C'], '22023');
    }
    assert.equal(reword(contextOf(other, wording), original)?.fields['C'], '54000');
  });

  it('tells an error by the function it happened in', () => {
    const when = { code: '25006', contextIncludes: 'enable_capture' };
    const context = contextOf({ when, fields: { code: '25006', message: 'ours' } });
    const happened = { C: '25006', M: 'cannot execute INSERT' };
    const within = { ...happened, W: 'PL/pgSQL function heliosdb.enable_capture() line 3' };
    assert.equal(reword(context, within)?.fields['M'], 'ours');
    assert.equal(reword(context, { ...happened, W: 'PL/pgSQL function f()' }), undefined);
    assert.equal(reword(context, happened), undefined);
  });

  it('otherwise maps the position and nothing else', () => {
    const reworded = reword(contextOf(), original);
    assert.deepEqual(reworded?.fields, { ...original, P: '107' });
    assert.equal(reworded?.refusal, undefined);
  });

  it('can add a hint and leave the rest', () => {
    const hinted: ErrorRewrite = { when: { code: '22012' }, fields: { hint: 'look there' } };
    const reworded = reword(contextOf(hinted), original);
    assert.deepEqual(reworded?.fields, { ...original, P: '107', H: 'look there' });
    assert.equal(reworded?.refusal, undefined);
  });

  it('leaves a notice a notice', () => {
    const reworded = reword(contextOf(wording), original, encodeNoticeResponse);
    assert.equal(reworded?.type, 'N'.charCodeAt(0));
    assert.deepEqual(reworded?.fields, { ...original, P: '107' });
  });

  it('has nothing to change without a position', () => {
    const { P: _position, ...rest } = original;
    assert.equal(reword(contextOf(), rest), undefined);
    assert.equal(reword(contextOf(), { ...rest, P: 'x' }), undefined);
  });

  it('does not touch what is not well formed', () => {
    const bytes = Buffer.from('E\0\0\0\x06SE');
    const message = { type: bytes[0]!, bytes, start: 0, end: bytes.length };
    assert.equal(rewordResponse(contextOf(wording), message), undefined);
  });
});

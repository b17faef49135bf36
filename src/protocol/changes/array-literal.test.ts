import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type ArrayForm, printArray } from './array-literal.ts';

const texts: ArrayForm = { delimiter: ',', printElement: (text) => JSON.stringify(text) };

describe('array literals', () => {
  it('become JSON', () => {
    for (const [literal, json] of [
      ['{}', '[]'],
      ['{a,b}', '["a","b"]'],
      ['{NULL,"NULL",null}', '[null,"NULL","null"]'],
      ['{"","a b","\\"","\\\\","{}",","}', '["","a b","\\"","\\\\","{}",","]'],
      ['{{a,b},{NULL,d}}', '[["a","b"],[null,"d"]]'],
      ['[0:1]={a,b}', '["a","b"]'],
      ['[-3:-2][5:5]={{a},{b}}', '[["a"],["b"]]'],
      ['{"line\nbreak"}', '["line\\nbreak"]'],
      ['{"\\\n"}', '["\\n"]'],
      ['{[1;2],=}', '["[1;2]","="]'],
    ] as const) {
      assert.equal(printArray(literal, texts), json, literal);
    }
    const boxes: ArrayForm = { ...texts, delimiter: ';' };
    assert.equal(printArray('{(2,2),(1,1);NULL}', boxes), '["(2,2),(1,1)",null]');
  });

  it('are refused when they are none', () => {
    for (const literal of [
      ...['', '{', '}', 'a', '{a', '{a}}', '{a}b', '{,a}', '{a,}', '{{a}', '{"a}', '{"a\\'],
      ...['{a"b"}', '{"a"b}', '{a{b}}', '{{a}b}', '[0:1]', '[0:1={a}', '[x:1]={a}', '{\\a}', ','],
      '{{{{{{{1}}}}}}}',
    ]) {
      assert.throws(() => printArray(literal, texts), { code: 'XX001' }, literal);
    }
  });

  it('are read or refused, whatever they are', () => {
    const pieces = fc.constantFrom('{', '}', ',', '"', '\\', 'a', 'NULL', '[0:1]=', ' ', '=');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (chosen) => {
        try {
          JSON.parse(printArray(chosen.join(''), texts));
        } catch (error) {
          assert.equal((error as { code?: unknown }).code, 'XX001', String(error));
        }
      }),
    );
  });
});

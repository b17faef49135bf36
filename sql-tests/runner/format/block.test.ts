import assert from 'node:assert/strict';
import { applyEdits, splitBlocks } from './block.ts';

const text = `# name: x

# a remark
query a:int4
SELECT 1
  AS a;
----
1

statement ok
SELECT 2;
`;

describe('blocks of a test file', () => {
  it('have a head, a body and expectations, and know their line', () => {
    const blocks = splitBlocks(text);
    assert.deepEqual(
      blocks.map(({ line, head, body, expected }) => ({ line, head, body, expected })),
      [
        { line: 4, head: 'query a:int4', body: 'SELECT 1\n  AS a;', expected: ['1'] },
        { line: 10, head: 'statement ok', body: 'SELECT 2;', expected: undefined },
      ],
    );
  });

  it('tell an empty expectation from none', () => {
    assert.deepEqual(splitBlocks('query\nSELECT 1 WHERE false;\n----\n')[0]?.expected, []);
  });

  it('are rewritten in place, whatever order the edits come in', () => {
    const [first, second] = splitBlocks(text);
    assert.ok(first && second);
    const updated = applyEdits(text, [
      { block: first, head: 'query b:int8', expected: ['3', '4'] },
      { block: second, expected: ['5'] },
    ]);
    assert.equal(
      updated,
      text
        .replace('query a:int4', 'query b:int8')
        .replace('----\n1\n', '----\n3\n4\n')
        .replace('SELECT 2;\n', 'SELECT 2;\n----\n5\n'),
    );
    assert.deepEqual(
      splitBlocks(updated).map(({ expected }) => expected),
      [['3', '4'], ['5']],
    );
  });
});

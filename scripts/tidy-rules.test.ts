import assert from 'node:assert/strict';
import { brokenLinks, forbiddenStem, longLines, wordComplaints } from './tidy-rules.ts';

describe('the rules of tidiness', () => {
  it('find long lines by characters', () => {
    assert.deepEqual(longLines(`${'é'.repeat(100)}\n${'x'.repeat(101)}\n`), [2]);
    assert.deepEqual(longLines(`const sql = '${'x'.repeat(101)}';`), []);
  });

  it('find names that say nothing', () => {
    assert.ok(forbiddenStem('src/core/string-utils.ts'));
    assert.ok(forbiddenStem('src/helper.test.ts'));
    assert.ok(!forbiddenStem('src/core/database.ts'));
  });

  it('find words, each in the files it is about', () => {
    const thrown = `throw new ${'Error'}('x')`;
    assert.equal(wordComplaints('src/core/x.ts', thrown).length, 1);
    assert.equal(wordComplaints('src/core/x.test.ts', thrown).length, 0);
    assert.equal(wordComplaints('src/core/x.ts', `// ${'TO'}DO later`).length, 1);
    assert.equal(wordComplaints('src/core/x.ts', `// ${'TO'}DO(#12) later`).length, 0);
    assert.equal(wordComplaints('a.test.ts', `it.${'only'}('x')`).length, 1);
    assert.equal(wordComplaints('a.md', `see /${'work'}/main`).length, 1);
    assert.equal(wordComplaints('a.md', `see src/core/${'work'}/x`).length, 0);
  });

  it('find links that lead nowhere', () => {
    const text =
      '[a](x.md) [b](y.md#z) [c](https://example.org) `[d](e.md)`\n```\n[f](g.md)\n```\n';
    assert.deepEqual(
      brokenLinks(text, (path) => path === 'x.md'),
      ['y.md'],
    );
  });
});

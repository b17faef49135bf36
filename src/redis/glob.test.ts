import assert from 'node:assert/strict';
import { matchesGlob } from './glob.ts';

describe('redis patterns', () => {
  it('match as in Redis', () => {
    const cases: readonly (readonly [string, string, boolean])[] = [
      ['*', '', true],
      ['*', 'abc', true],
      ['a*c', 'abbc', true],
      ['a*c', 'abbd', false],
      ['*a*b*', 'xxayybzz', true],
      ['?', 'a', true],
      ['?', '', false],
      ['h[ae]llo', 'hallo', true],
      ['h[ae]llo', 'hillo', false],
      ['h[^e]llo', 'hallo', true],
      ['h[^e]llo', 'hello', false],
      ['h[a-c]llo', 'hbllo', true],
      ['h[c-a]llo', 'hbllo', true],
      ['h\\*llo', 'h*llo', true],
      ['h\\*llo', 'hello', false],
      ['a\\', 'a\\', true],
      ['[abc', 'b', true],
      ['[]', 'a', false],
      ['abc', 'abcd', false],
      ['abcd', 'abc', false],
    ];
    for (const [pattern, text, isMatch] of cases) {
      assert.equal(matchesGlob(pattern, text), isMatch, `${pattern} ${text}`);
    }
  });

  it('take no time that grows without measure', () => {
    assert.equal(matchesGlob(`${'*a'.repeat(30)}b`, 'a'.repeat(20_000)), false);
  });
});

import assert from 'node:assert/strict';
import type { Rewrite, RewriteInput } from '../contracts/rewriter.ts';
import { cacheKey, RewriteCache } from './rewrite-cache.ts';

const pass: Rewrite = { kind: 'pass' };
const input: RewriteInput = {
  text: 'SELECT 1',
  protocol: 'simple',
  standardConformingStrings: true,
  parameterTypes: [],
  discovery: { kind: 'possible' },
};

describe('rewrite cache', () => {
  it('throws out the least recently used', () => {
    const cache = new RewriteCache({ textsMax: 2, unitsMax: 10_000 });
    cache.set('a', pass);
    cache.set('b', pass);
    assert.equal(cache.get('a'), pass);
    cache.set('c', pass);
    assert.equal(cache.get('b'), undefined);
    assert.equal(cache.get('a'), pass);
    assert.equal(cache.size, 2);
  });

  it('is bounded by size too, and does not keep what is too large for it', () => {
    const cache = new RewriteCache({ textsMax: 100, unitsMax: 1000 });
    cache.set('x'.repeat(2000), pass);
    assert.equal(cache.size, 0);
    for (let i = 0; i < 50; i++) cache.set(`${i}${'x'.repeat(300)}`, pass);
    assert.equal(cache.size, 3);
  });

  it('tells inputs apart by everything that is in them', () => {
    const variants: RewriteInput[] = [
      input,
      { ...input, text: 'SELECT 2' },
      { ...input, protocol: 'extended' },
      { ...input, standardConformingStrings: false },
      { ...input, parameterTypes: [20] },
      { ...input, discovery: { kind: 'impossible' } },
      { ...input, discovery: { kind: 'done', types: [20], surveyed: null } },
      { ...input, discovery: { kind: 'done', types: [20], surveyed: 't' } },
    ];
    assert.equal(new Set(variants.map(cacheKey)).size, variants.length);
  });
});

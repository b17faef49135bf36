import assert from 'node:assert/strict';
import { excludedColumns } from './excluded-columns.ts';

describe('columns that are kept out of the log', () => {
  const isExcluded = excludedColumns(['"public"."users"."pass.word"', 'users.Token', 'a.b.c']);

  it('are named with their schema', () => {
    assert.ok(isExcluded('public', 'users', 'pass.word'));
    assert.ok(isExcluded('a', 'b', 'c'));
    assert.ok(!isExcluded('other', 'users', 'pass.word'));
  });

  it('are of schema public without one, and folded unless they are quoted', () => {
    assert.ok(isExcluded('public', 'users', 'token'));
    assert.ok(!isExcluded('public', 'users', 'Token'));
  });
});

import assert from 'node:assert/strict';
import type { TableNow } from '../../catalog/exclusion-history.ts';
import { ExcludedNames, excludedOf } from './excluded-columns.ts';

describe('columns that are kept out of the log', () => {
  it('are named with their schema', () => {
    const names = new ExcludedNames(['"My ""Shop"""."a.b"."it\'s"', 'shop.users.email']);
    assert.ok(names.has('My "Shop"', 'a.b', "it's"));
    assert.ok(names.has('shop', 'users', 'email'));
    assert.ok(!names.has('public', 'users', 'email'));
    assert.ok(names.hasName('"shop"."users"."email"'));
  });

  it('are of schema public without one, and folded unless they are quoted', () => {
    const names = new ExcludedNames(['Users.Email', '"Users"."Email"']);
    assert.ok(names.has('public', 'users', 'email'));
    assert.ok(names.has('public', 'Users', 'Email'));
    assert.ok(!names.has('public', 'users', 'Email'));
  });
});

describe('columns of a relation that are kept out', () => {
  /** Of `public.people`, whose second column is the one that `public.people.tax` meant. */
  function outOf(
    called: readonly string[],
    now: readonly (string | undefined)[],
    table = 'people',
  ) {
    const places = now.flatMap((name, index) =>
      name === undefined ? [] : [[name, index + 1] as const],
    );
    const tableNow: TableNow = {
      places: new Map(places),
      meant: [{ name: 'public.people.tax', column: now[1], place: 2 }],
    };
    const relation = { schema: 'public', name: table, columns: called.map(columnCalled) };
    const names = new ExcludedNames(['public.people.tax']);
    const { columns: out, isGuess } = excludedOf(relation, names, tableNow);
    return [...out, ...(isGuess ? ['?'] : [])];
  }

  function columnCalled(name: string) {
    return { name, isKey: name === 'id', typeOid: 25, typeModifier: -1 };
  }

  it('are those that are named, and what they are called now', () => {
    assert.deepEqual(outOf(['id', 'tax', 'note'], ['id', 'tax', 'note']), ['tax']);
    assert.deepEqual(outOf(['id', 'vat', 'note'], ['id', 'vat', 'note']), ['vat']);
    assert.deepEqual(outOf(['id', 'vat'], ['id', 'vat'], 'persons'), ['vat']);
    assert.deepEqual(outOf(['id', 'tax', 'note'], ['id', 'vat', 'note']), ['tax']);
    // Another column got the name.
    assert.deepEqual(outOf(['id', 'vat', 'tax'], ['id', 'vat', 'tax']), ['tax', 'vat']);
  });

  it('are what was in their place when nobody knows the name any more', () => {
    assert.deepEqual(outOf(['id', 'mid', 'note'], ['id', 'vat', 'note']), ['mid', '?']);
    assert.deepEqual(outOf(['id', 'mid', 'old'], ['id', 'vat', undefined]), ['mid', 'old', '?']);
    assert.deepEqual(outOf(['id', 'mid', 'note'], ['id', undefined, 'note']), ['mid', '?']);
    // Names were exchanged: everything but the key.
    assert.deepEqual(outOf(['id', 'a', 'x'], ['id', 'b', 'a']), ['a', 'x', '?']);
  });

  it('are none where the column was not there yet, or is gone', () => {
    assert.deepEqual(outOf(['id'], ['id', 'tax']), []);
    assert.deepEqual(outOf(['id', 'note'], ['id', undefined, 'note']), []);
  });

  it('are none that somebody took in again', () => {
    const now: TableNow = {
      places: new Map([['id', 1]]),
      meant: [{ name: 'public.people.tax', column: 'id', place: 1 }],
    };
    const relation = { schema: 'public', name: 'people', columns: [columnCalled('id')] };
    assert.equal(excludedOf(relation, new ExcludedNames([]), now).columns.size, 0);
  });
});

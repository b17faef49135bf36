import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseStreamKey, printStreamKey, printTableName, type StreamRef } from './stream-key.ts';

const orders = { schema: 'public', name: 'orders' };

describe('stream keys', () => {
  it('name streams', () => {
    const cases: readonly (readonly [string, StreamRef])[] = [
      ['heliosdb:cdc', { database: undefined, table: undefined, epoch: 1 }],
      ['heliosdb:cdc:e2', { database: undefined, table: undefined, epoch: 2 }],
      ['heliosdb:cdc:orders', { database: undefined, table: orders, epoch: 1 }],
      ['heliosdb:cdc:orders:e12', { database: undefined, table: orders, epoch: 12 }],
      ['heliosdb:cdc:shop:orders', { database: 'shop', table: orders, epoch: 1 }],
      ['heliosdb:cdc:shop:', { database: 'shop', table: undefined, epoch: 1 }],
      ['heliosdb:cdc:shop::e2', { database: 'shop', table: undefined, epoch: 2 }],
      [
        'heliosdb:cdc:"a:b"."c.""d":e3',
        { database: undefined, table: { schema: 'a:b', name: 'c."d' }, epoch: 3 },
      ],
      [
        'heliosdb:cdc:"e2"',
        { database: undefined, table: { schema: 'public', name: 'e2' }, epoch: 1 },
      ],
    ];
    for (const [key, ref] of cases) {
      assert.deepEqual(parseStreamKey(key), ref, key);
      assert.equal(printStreamKey(ref), key);
    }
  });

  it('may say what can be left out', () => {
    const ref = { database: undefined, table: orders, epoch: 1 };
    assert.deepEqual(parseStreamKey('heliosdb:cdc:public.orders'), ref);
    assert.deepEqual(parseStreamKey('heliosdb:cdc:"orders"'), ref);
    assert.deepEqual(parseStreamKey('heliosdb:cdc:orders:e1'), ref);
  });

  it('that no stream has are none', () => {
    for (const key of [
      '',
      'orders',
      'heliosdb:cdcx',
      'heliosdb:cdc:',
      'heliosdb:cdc::orders',
      'heliosdb:cdc:a.b.c',
      'heliosdb:cdc:.orders',
      'heliosdb:cdc:orders.',
      'heliosdb:cdc:a"b',
      'heliosdb:cdc:"a',
      'heliosdb:cdc:"a"b',
      'heliosdb:cdc:""',
      'heliosdb:cdc:a:b:c',
      'heliosdb:cdc:a.b:c',
      'heliosdb:cdc:orders:e0',
      'heliosdb:cdc:orders:e01',
    ]) {
      assert.equal(parseStreamKey(key), undefined, key);
    }
  });

  it('are read as they are printed, whatever the names', () => {
    const name = fc
      .array(fc.constantFrom('a', 'e', '2', '.', ':', '"', ' ', 'ü', '\n'), {
        minLength: 1,
        maxLength: 6,
      })
      .map((units) => units.join(''));
    const plain = { noNullPrototype: true };
    const table = fc.record({ schema: fc.oneof(fc.constant('public'), name), name }, plain);
    const ref = fc.record(
      {
        database: fc.option(name, { nil: undefined }),
        table: fc.option(table, { nil: undefined }),
        epoch: fc.integer({ min: 1, max: 999_999_999 }),
      },
      plain,
    );
    fc.assert(
      fc.property(ref, (one) => {
        assert.deepEqual(parseStreamKey(printStreamKey(one)), one);
      }),
      { numRuns: 500 },
    );
  });

  it('show a table with its schema', () => {
    assert.equal(printTableName(orders), 'public.orders');
    assert.equal(printTableName({ schema: 'a.b', name: 'c' }), '"a.b".c');
  });
});

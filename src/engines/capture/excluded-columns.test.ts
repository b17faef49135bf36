import assert from 'node:assert/strict';
import fc from 'fast-check';
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

/** The names of the columns by number; undefined for one that is dropped. */
type Table = readonly (string | undefined)[];

/** What was found of column 2, at the time that is its LSN. */
type Look = { readonly at: number; readonly table: Table };

describe('columns of a relation that are kept out', () => {
  const secret = 1;
  const names = new ExcludedNames(['public.people.tax']);

  function outOf(then: Table, now: Table, look: Look, walLsn: number, table = 'people') {
    const tableNow: Pick<TableNow, 'columns' | 'meant'> = {
      columns: now.map((name, index) => ({ place: index + 1, name })),
      meant: [
        {
          name: 'public.people.tax',
          place: secret + 1,
          lookedLsn: BigInt(look.at),
          droppedBefore: look.table.slice(0, secret).filter((name) => name === undefined).length,
          isDropped: look.table[secret] === undefined,
        },
      ],
    };
    const called = then.filter((name) => name !== undefined);
    const columns = called.map((name) => ({ name, isKey: true, typeOid: 25, typeModifier: -1 }));
    const relation = { schema: 'public', name: table, columns };
    return excludedOf(relation, names, tableNow, BigInt(walLsn));
  }

  it('are those that are named, and what they are called now', () => {
    const look = { at: 0, table: ['id', 'tax', 'note'] };
    const out = (then: Table, now: Table, table?: string) => [
      ...outOf(then, now, look, 1, table).columns,
    ];
    assert.deepEqual(out(['id', 'tax', 'note'], ['id', 'tax', 'note']), ['tax']);
    assert.deepEqual(out(['id', 'vat', 'note'], ['id', 'vat', 'note']), ['vat']);
    assert.deepEqual(out(['id', 'vat', 'note'], ['id', 'vat', 'note'], 'persons'), ['vat']);
    // In progress, in the past, exchanged.
    assert.deepEqual(out(['id', 'vat', 'note'], ['id', 'tax', 'note']), ['vat']);
    assert.deepEqual(out(['id', 'mid', 'note'], ['id', 'vat', 'note']), ['mid']);
    assert.deepEqual(out(['id', 'note', 'tax'], ['id', 'tax', 'note']), ['tax', 'note']);
    // Long dropped.
    const gone = { at: 0, table: ['id', undefined, 'note'] };
    assert.equal(outOf(['id', undefined, 'note'], gone.table, gone, 1).columns.size, 0);
  });

  it('are never without the column that was meant, whatever was altered when', () => {
    const name = fc.constantFrom('id', 'tax', 'note', 'a', 'b');
    const step = fc.record({ verb: fc.constantFrom('rename', 'drop', 'add'), at: fc.nat(5), name });
    let seen = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.gen(), (steps, draw) => {
        const history: Table[] = [['id', 'tax', 'note']];
        for (const each of steps) history.push(altered(history.at(-1)!, each));
        const time = () => draw(fc.nat, { max: history.length - 1 });
        const [then, asked, looked] = [time(), time(), time()];
        // Who looks finds what is committed; what was found counts from there on.
        const at = Math.min(looked, asked);
        const look = { at, table: history[at]! };
        const table = history[then]!;
        const called = table[secret];
        const { columns } = outOf(table, history[asked]!, look, then);
        // Nobody can tell what became of one in progress that gives it the name of one it dropped.
        const isHidden = asked < then && history[asked]![0] !== undefined && table[0] === undefined;
        if (called === undefined || isHidden) return;
        seen += 1;
        assert.ok(columns.has(called), `${called} of ${table} as of ${history[asked]}`);
      }),
      { numRuns: 20_000 },
    );
    assert.ok(seen > 5_000);
  });

  it('are none that somebody took in again', () => {
    const look = { at: 0, table: ['id', 'tax'] };
    const relation = { schema: 'public', name: 'people', columns: [] };
    const now = { columns: [], meant: [] };
    assert.equal(excludedOf(relation, new ExcludedNames([]), now, 0n).columns.size, 0);
    assert.equal(outOf(['id', 'tax'], ['id', 'tax'], look, 1).columns.size, 1);
  });
});

function altered(
  table: Table,
  { verb, at, name }: { readonly verb: string; readonly at: number; readonly name: string },
): Table {
  if (verb === 'add') return table.includes(name) ? table : [...table, name];
  if (table[at] === undefined) return table;
  if (verb === 'drop') return table.with(at, undefined);
  return table.includes(name) ? table : table.with(at, name);
}

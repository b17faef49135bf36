import assert from 'node:assert/strict';
import type { TableVersion } from '../../contracts/change.ts';
import type { VersionRights } from '../../contracts/change-access.ts';
import { type Captured, openCaptured } from '../testing/captured-frames.ts';
import { typesWithoutInput, typeValues } from '../testing/type-values.ts';
import type { DecodedChange } from './decode-change.ts';
import { printRow } from './row-json.ts';
import { builtinValueKind, resolveValueKind } from './value-kind.ts';

type Type = { readonly oid: number; readonly name: string; readonly delimiter: string };

const all: VersionRights = { kind: 'all' };

describe('values of every built-in type', function () {
  this.timeout(60_000);

  let captured: Captured;
  let types: Type[];
  let changes: ReadonlyMap<string, DecodedChange[]>;
  /** Rows of each table, as Postgres printed them before they were deleted. */
  const kept = new Map<string, (string | null)[][]>();

  before(async () => {
    captured = await openCaptured();
    const rows = await captured.rows(
      `SELECT oid, typname, typdelim FROM pg_type
       WHERE oid < 10000 AND typtype IN ('b', 'r', 'm') AND typrelid = 0
         AND typelem NOT IN (SELECT oid FROM pg_type WHERE typtype IN ('p', 'c'))
       ORDER BY oid`,
    );
    types = rows.map(([oid, name, delimiter]) => ({
      oid: Number(oid),
      name: name!,
      delimiter: delimiter!,
    }));
    await captured.client.query('BEGIN');
    for (const type of types) await change(type);
    await captured.client.query('COMMIT');
    const grouped = new Map<string, DecodedChange[]>();
    for (const one of await captured.changes()) {
      const name = one.table?.name ?? '';
      grouped.set(name, [...(grouped.get(name) ?? []), one]);
    }
    changes = grouped;
  });

  after(() => captured.close());

  /** A table of the type, in which each value is inserted, updated (not itself) and deleted. */
  async function change({ oid, name, delimiter }: Type): Promise<void> {
    const { client } = captured;
    await client.query(`CREATE TABLE t_${oid} (id int PRIMARY KEY, v pg_catalog."${name}");
      ALTER TABLE t_${oid} REPLICA IDENTITY FULL`);
    for (const [id, value] of [null, ...valuesOf(name, delimiter)].entries()) {
      await client.query('SAVEPOINT value');
      try {
        await client.query(`INSERT INTO t_${oid} VALUES ($1, $2)`, [id, value]);
      } catch (error) {
        // Not every server is built with libxml.
        if (!/^_?xml$/.test(name)) throw error;
        await client.query('ROLLBACK TO value');
      }
      await client.query('RELEASE value');
    }
    kept.set(`t_${oid}`, await captured.rows(`SELECT id, v FROM t_${oid} ORDER BY id`));
    await client.query(`UPDATE t_${oid} SET id = id - 1000; DELETE FROM t_${oid}`);
  }

  function valuesOf(name: string, delimiter: string): string[] {
    if (!name.startsWith('_')) return [...(typeValues[name] ?? [])];
    const quoted = (typeValues[name.slice(1)] ?? []).map(
      (value) => `"${value.replace(/["\\]/g, '\\$&')}"`,
    );
    const [first] = quoted;
    if (first === undefined) return ['{}'];
    const pair = `{${[first, 'NULL'].join(delimiter)}}`;
    return [
      '{}',
      `{${[...quoted, 'NULL'].join(delimiter)}}`,
      `[-1:0][3:4]={${[pair, pair].join(delimiter)}}`,
    ];
  }

  it('are all tried', () => {
    const scalars = types.filter(({ name }) => !name.startsWith('_')).map(({ name }) => name);
    const untried = scalars.filter((name) => typeValues[name] === undefined);
    assert.deepEqual(untried.sort(), [...typesWithoutInput]);
    assert.ok(types.length > 130, String(types.length));
  });

  it('are known by their OID', () => {
    for (const { oid, name } of types) {
      assert.notEqual(builtinValueKind(oid), undefined, name);
    }
  });

  it('are decoded as Postgres prints them', () => {
    for (const { oid, name } of types) {
      const table = `t_${oid}`;
      const rows = kept.get(table)!;
      const moved = rows.map(([id, value]) => [String(Number(id) - 1000), value]);
      const of = (operation: string) =>
        (changes.get(table) ?? []).filter((one) => one.operation === operation);
      assert.deepEqual(
        of('INSERT').map(({ after }) => after),
        rows,
        name,
      );
      assert.deepEqual(
        of('UPDATE').map(({ before }) => before),
        rows,
        name,
      );
      assert.deepEqual(
        of('UPDATE').map(({ after }) => after),
        moved,
        name,
      );
      assert.deepEqual(
        of('DELETE').map(({ before }) => before),
        moved,
        name,
      );
    }
  });

  it('are the JSON Postgres makes of them', async () => {
    let compared = 0;
    for (const { oid, name } of types) {
      for (const { table, after } of changes.get(`t_${oid}`) ?? []) {
        if (table === undefined || after?.[1] === undefined) continue;
        const row = printRow(table, after, all);
        const { v } = JSON.parse(row) as { v: unknown };
        if (after[1] === null) assert.equal(v, null);
        else await compare({ name, table, row, v, text: after[1] });
        compared += 1;
      }
    }
    assert.ok(compared > 800, String(compared));
  });

  /** Numbers, booleans, JSON and arrays of them against to_jsonb, all else against the text. */
  async function compare(one: {
    name: string;
    table: TableVersion;
    row: string;
    v: unknown;
    text: string;
  }): Promise<void> {
    const { name, table, row, v, text } = one;
    const kind = table.columns[1]!.valueKind;
    const element = typeof kind === 'string' ? kind : kind.arrayOf;
    const about = `${name} ${text} ${row}`;
    if (element === 'text' || /^_?oid$/.test(name)) {
      if (typeof kind === 'string') return assert.equal(String(v), text, about);
      const query = `SELECT e FROM unnest($1::pg_catalog."${name}") AS e`;
      const elements = (await captured.rows(query, [text])).map(([e]) => e);
      const found = (v as unknown[]).flat().map((e) => (e === null ? null : String(e)));
      return assert.deepEqual(found, elements, about);
    }
    const [answer] = await captured.rows(
      `SELECT $1::text::jsonb -> 'v' = to_jsonb($2::pg_catalog."${name}"), $1::text::json ->> 'v'`,
      [row, text],
    );
    assert.equal(answer?.[0], 't', about);
    if (kind === 'number' || kind === 'json') {
      // ->> has NULL for the JSON null.
      assert.equal(answer?.[1], v === null ? null : unquoted(kind, text), about);
    }
  }

  function unquoted(kind: 'number' | 'json', text: string): string {
    const trimmed = text.trim();
    return kind === 'json' && trimmed.startsWith('"') ? (JSON.parse(trimmed) as string) : trimmed;
  }
});

describe('types that are not built in', () => {
  let captured: Captured;

  before(async () => {
    captured = await openCaptured();
  });

  after(() => captured.close());

  it('are resolved to what they are made of', async () => {
    await captured.client.query(`
      CREATE DOMAIN amount AS numeric(10,2);
      CREATE DOMAIN price AS amount;
      CREATE DOMAIN area AS box;
      CREATE DOMAIN numbers AS int[];
      CREATE TYPE mood AS ENUM ('good', 'so "so"');
      CREATE TYPE pair AS (a int, b text);
      CREATE TYPE span AS RANGE (subtype = float8);
      CREATE TABLE t (id int PRIMARY KEY, price price, prices price[], areas area[],
        numbers numbers, mood mood, moods mood[], pair pair, pairs pair[], span span,
        yes information_schema.yes_or_no, count information_schema.cardinal_number);
      INSERT INTO t VALUES (1, 1.5, '{1.5,NULL}', '{(2,2),(1,1);NULL}', '{1,2}', 'so "so"',
        '{good,"so \\"so\\""}', '(1,"x y")', ARRAY[ROW(1, 'x,y')]::pair[], '[1,2)', 'YES', 3)`);
    const [change] = await captured.changes();
    const { after, table } = change!;
    assert.equal(
      printRow(table!, after!, all),
      '{"id":1,"price":1.50,"prices":[1.50,null],"areas":["(2,2),(1,1)",null],"numbers":[1,2],' +
        '"mood":"so \\"so\\"","moods":["good","so \\"so\\""],"pair":"(1,\\"x y\\")",' +
        '"pairs":["(1,\\"x,y\\")"],"span":"[1,2)","yes":"YES","count":3}',
    );
    assert.equal(
      resolveValueKind(999_999, () => undefined),
      'text',
    );
  });
});

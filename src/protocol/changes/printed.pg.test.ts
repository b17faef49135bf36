import assert from 'node:assert/strict';
import { Client } from 'pg';
import type { Change, TableVersion, ValueKind } from '../../contracts/change.ts';
import { Random, seedOfRun } from '../../testing/oracle/random.ts';
import { testPostgres } from '../../testing/test-postgres.ts';
import { printArray } from './array-literal.ts';
import { printCommitTime } from './commit-time.ts';
import { printEventRow } from './event-row.ts';
import { scalarPrinterFor } from './scalar-json.ts';

describe('what is printed, read by Postgres', () => {
  const seed = seedOfRun();
  const random = new Random(seed);
  let client: Client;

  before(async () => {
    const postgres = await testPostgres();
    client = new Client({ connectionString: postgres.url(await postgres.createDatabase()) });
    await client.connect();
    await client.query("SET timezone = 'Asia/Kolkata'");
  });

  after(() => client.end());

  /** A literal of random texts, all quoted; Postgres then prints it as it likes. */
  function randomLiteral(dimensions: readonly number[]): string {
    const [length, ...inner] = dimensions;
    const pieces = [
      'NULL',
      'null',
      'a',
      ' ',
      ',',
      ';',
      '"',
      '\\',
      '{',
      '}',
      '\n',
      '=',
      '[',
      'ä',
      '😀',
    ];
    const item = (): string => {
      if (inner.length > 0) return randomLiteral(inner);
      if (random.chance(0.2)) return 'NULL';
      const text = Array.from({ length: random.between(0, 3) }, () => random.pick(pieces)).join('');
      return `"${text.replace(/["\\]/g, '\\$&')}"`;
    };
    return `{${Array.from({ length: length! }, item).join(',')}}`;
  }

  it('arrays have the elements they had', async () => {
    for (let i = 0; i < 300; i++) {
      const dimensions = Array.from({ length: random.between(1, 3) }, () => random.between(1, 3));
      const lowest = dimensions.map(() => random.between(-2, 2));
      const bounds = dimensions.map((length, d) => `[${lowest[d]}:${lowest[d]! + length - 1}]`);
      const literal = `${bounds.join('')}=${randomLiteral(dimensions)}`;
      const { rows } = await client.query<{ printed: string; json: unknown }>(
        'SELECT $1::text[]::text AS printed, to_json($1::text[]) AS json',
        [literal],
      );
      const { printed, json } = rows[0]!;
      const printElement = (text: string): string => JSON.stringify(text);
      const ours = printArray(printed, { delimiter: ',', printElement });
      assert.deepEqual(JSON.parse(ours), json, `HELIOSDB_SEED=${seed} ${literal}`);
    }
  });

  it('commit times are the same instants', async () => {
    const years = 292_277n * 31_556_952n * 1_000_000n;
    const least = -210_866_803_200_000_000n;
    const times = [least, least + 1n, -62_135_596_800_000_000n, -62_135_596_800_000_001n, 0n, -1n];
    for (let i = 0; i < 300; i++) {
      const span = random.chance(0.5) ? years - least : 10_000_000_000_000_000n;
      times.push(least + BigInt(Math.floor(random.next() * 2 ** 52)) * (span >> 52n || 1n));
    }
    const { rows } = await client.query<{ micros: string }>(
      `SELECT (extract(epoch FROM t) * 1000000)::numeric(30, 0)::text AS micros
       FROM unnest($1::timestamptz[]) WITH ORDINALITY AS u(t, n) ORDER BY n`,
      [times.map(printCommitTime)],
    );
    const found = rows.map(({ micros }) => micros);
    assert.deepEqual(found, times.map(String), `HELIOSDB_SEED=${seed}`);
  });

  /** Mostly short, now and then what numeric or the stack cannot take, or just can. */
  function randomJson(depth: number): string {
    const digits = (): string =>
      random.chance(0.1)
        ? '7'.repeat(random.pick([5_999, 6_001, 16_383, 16_384, 131_071, 131_072, 131_073]))
        : String(random.between(0, 99));
    const exponent = (): string =>
      `${random.pick(['e', 'E', 'e-', 'E+'])}${random.pick([0, 5, 9_999, 16_382, 16_384, 131_070, 131_072, 999_999])}`;
    const kind = depth === 0 ? random.between(0, 2) : random.between(0, 4);
    if (kind === 0) return random.pick(['true', 'null', '"x"', '"\\u0000"', '"\\ud83d"', '"é["']);
    if (kind <= 2) {
      const fraction = random.chance(0.5) ? `.${digits()}` : '';
      const number = `${random.chance(0.3) ? '-' : ''}${digits().replace(/^0(?=.)/, '')}${fraction}`;
      return random.chance(0.5) ? `${number}${exponent()}` : number;
    }
    if (kind === 3) return `{"k":${randomJson(depth - 1)}}`;
    const levels = random.chance(0.05) ? random.pick([4_999, 5_001, 9_000]) : 1;
    return `${'['.repeat(levels)}${randomJson(depth - 1)}${']'.repeat(levels)}`;
  }

  it('every json can be a jsonb, and is itself or its text', async () => {
    for (let i = 0; i < 300; i++) {
      const json = randomJson(3);
      const printed = scalarPrinterFor('UTF8')('json', json);
      const { rows } = await client.query<{ same: boolean }>(
        `SELECT e.v IS NOT NULL AND ($2 OR e.v -> 0 = to_jsonb($3::text)) AS same
           FROM json_to_recordset($1::json) AS e(v jsonb), (SELECT $3::json) AS accepted`,
        [`[{"v":[${printed}]}]`, printed === json, json],
      );
      assert.equal(rows[0]?.same, true, `HELIOSDB_SEED=${seed} ${json.slice(0, 200)}`);
    }
  });

  it('events are rows', async () => {
    const kinds: Readonly<Record<string, ValueKind>> = {
      id: 'number',
      'na"me': 'text',
      doc: 'json',
      list: { arrayOf: 'number', delimiter: ',' },
    };
    const table: TableVersion = {
      id: 1,
      oid: 1,
      schema: 's"s',
      name: 't',
      replicaIdentity: 'default',
      columns: Object.entries(kinds).map(([name, valueKind]) => ({
        name,
        typeOid: 0,
        typeModifier: -1,
        isKey: name === 'id',
        valueKind,
      })),
    };
    const change: Change = {
      position: { epoch: 1, lsn: 0xffff_ffff_0000_0001n, seq: 5 },
      walLsn: 0n,
      committedAtMicros: -62_135_596_800_000_001n,
      xid: 18_446_744_073_709_551_615n,
      operation: 'UPDATE',
      table,
      before: ['12345678901234567890.10', undefined, undefined, undefined],
      after: ['1e+100', 'q"\u0001😀', '"\\u0000"', undefined],
      schemaChange: undefined,
    };
    const truncate = {
      ...change,
      operation: 'TRUNCATE' as const,
      before: undefined,
      after: undefined,
    };
    const printed = [change, truncate].map((one) =>
      printEventRow(one, { kind: 'all' }, scalarPrinterFor('UTF8')),
    );
    const { rows } = await client.query<Record<string, unknown>>(
      `SELECT epoch, lsn::text, seq, extract(epoch FROM committed_at)::text AS time, xid,
         table_schema, table_name, operation, key::text, before::text, after::text, unchanged::text,
         after ->> 'na"me' AS name
       FROM json_to_recordset($1::json) AS e(epoch int, lsn pg_lsn, seq int,
         committed_at timestamptz, xid text, table_schema text, table_name text, operation text,
         key json, before json, after json, unchanged json)`,
      [`[${printed.join(',')}]`],
    );
    const common = {
      epoch: 1,
      lsn: 'FFFFFFFF/1',
      seq: 5,
      time: '-62135596800.000001',
      xid: '18446744073709551615',
      table_schema: 's"s',
      table_name: 't',
    };
    assert.deepEqual(rows, [
      {
        ...common,
        operation: 'UPDATE',
        key: '{"id":12345678901234567890.10}',
        before: '{"id":12345678901234567890.10}',
        after: '{"id":1e+100,"na\\"me":"q\\"\\u0001😀","doc":"\\"\\\\u0000\\""}',
        unchanged: '["list"]',
        name: 'q"\u0001😀',
      },
      {
        ...common,
        operation: 'TRUNCATE',
        ...{ key: null, before: null, after: null, unchanged: null, name: null },
      },
    ]);
  });
});

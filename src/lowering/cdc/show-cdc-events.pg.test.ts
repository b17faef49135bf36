import assert from 'node:assert/strict';
import type { Client } from 'pg';
import type { Lowered } from '../../contracts/rewriter.ts';
import { withClient } from '../../postgres/client.ts';
import { testPostgres } from '../../testing/test-postgres.ts';
import { rewrite } from '../rewrite.ts';
import { handOverQuery } from './show-cdc-events.ts';

/** As the proxy hands them over. */
const changes: readonly object[] = Array.from({ length: 6 }, (_, index) => ({
  epoch: index < 3 ? 1 : 2,
  lsn: `0/${(10 + index).toString(16).toUpperCase()}`,
  seq: index,
  committed_at: `2026-01-01 00:00:0${index}+00`,
  xid: String(2 ** 40 + index),
  table_schema: 'public',
  table_name: 'orders',
  operation: index % 2 === 0 ? 'INSERT' : 'UPDATE',
  key: { id: index },
  before: null,
  after: { id: index, total: '1e400', 'a"b': null },
  unchanged: index === 1 ? ['note', 'a,b'] : null,
}));

const columns: readonly string[] = [
  'epoch:int4',
  'lsn:pg_lsn',
  'seq:int8',
  'committed_at:timestamptz',
  'xid:xid8',
  'table_schema:text',
  'table_name:text',
  'operation:text',
  'key:jsonb',
  'before:jsonb',
  'after:jsonb',
  'unchanged:_text',
];

describe('SHOW CDC EVENTS on Postgres', function () {
  this.timeout(30_000);
  let url: string;

  before(async () => {
    const postgres = await testPostgres();
    url = postgres.url(await postgres.createDatabase());
  });

  it('has the columns of the reference, of their types', async () => {
    await onBackend(url, async (client) => {
      const { rows, fields } = await run(client, 'SHOW CDC EVENTS LIMIT 2');
      const types = await client.query<{ oid: number; typname: string }>(
        'SELECT oid, typname FROM pg_catalog.pg_type',
      );
      const names = new Map(types.rows.map(({ oid, typname }) => [oid, typname]));
      assert.deepEqual(
        fields.map(({ name, dataTypeID }) => `${name}:${names.get(dataTypeID)}`),
        columns,
      );
      assert.equal(rows.length, 2);
    });
  });

  it('makes values of what was handed over', async () => {
    await onBackend(url, async (client) => {
      const { rows } = await run(client, 'SHOW CDC EVENTS WHERE unchanged IS NOT NULL');
      assert.deepEqual(rows, [
        {
          epoch: 1,
          lsn: '0/B',
          seq: '1',
          committed_at: new Date('2026-01-01T00:00:01Z'),
          xid: '1099511627777',
          table_schema: 'public',
          table_name: 'orders',
          operation: 'UPDATE',
          key: { id: 1 },
          before: null,
          after: { id: 1, total: '1e400', 'a"b': null },
          unchanged: ['note', 'a,b'],
        },
      ]);
    });
  });

  const selections: readonly (readonly [string, readonly number[]])[] = [
    ['', [0, 1, 2, 3, 4, 5]],
    ['LIMIT ALL', [0, 1, 2, 3, 4, 5]],
    ['LIMIT 2', [4, 5]],
    ["SINCE LSN '0/0' LIMIT 2", [0, 1]],
    ["WHERE operation = 'UPDATE' LIMIT 2", [3, 5]],
    ["WHERE operation = 'UPDATE' SINCE LSN '0/0' LIMIT 2", [1, 3]],
    ["WHERE (key->>'id')::int > 3 OR xid = '1099511627776' -- the first", [0, 4, 5]],
    ["WHERE lsn >= '0/E' AND committed_at > '2026-01-01 00:00:04+00'", [5]],
    ['WHERE EXISTS (SELECT FROM wanted WHERE id = cdc_events.seq LIMIT 1)', [2]],
    ['WHERE cdc_events.seq BETWEEN 1 AND 2 LIMIT ALL', [1, 2]],
  ];
  for (const [clauses, expected] of selections) {
    it(`selects the right changes with ${clauses || 'no clause'}`, async () => {
      await onBackend(url, async (client) => {
        const { rows } = await run(client, `SHOW CDC EVENTS ${clauses}`);
        assert.deepEqual(
          rows.map(({ seq }) => Number(seq)),
          expected,
        );
      });
    });
  }

  it('empties what was handed over when it reads it', async () => {
    await onBackend(url, async (client) => {
      await run(client, 'SHOW CDC EVENTS');
      const left = await client.query("SELECT current_setting('heliosdb.cdc_events_0') AS rows");
      assert.deepEqual(left.rows, [{ rows: '' }]);
    });
  });

  it('sorts whatever order the changes come in, epochs before positions', async () => {
    const [first, second] = [{ ...changes[5], lsn: '0/1' }, changes[0]];
    await onBackend(url, async (client) => {
      await client.query('SELECT set_config($1, $2, true)', [
        'heliosdb.cdc_events_0',
        JSON.stringify([first, second]),
      ]);
      const { rows } = await run(client, 'SHOW CDC EVENTS');
      assert.deepEqual(
        rows.map(({ epoch }) => epoch),
        [1, 2],
      );
    });
  });

  it('filters candidates by the same condition beforehand, with parameters', async () => {
    await onBackend(url, async (client) => {
      const [filter, values] = [await filterOf('operation = $1 AND seq > 1'), ['UPDATE']];
      const kept = await client.query({ text: filter, values, rowMode: 'array' });
      assert.deepEqual(kept.rows, [['3,5']]);
      const none = await client.query({ text: await filterOf('false'), rowMode: 'array' });
      assert.deepEqual(none.rows, [[null]]);
    });
  });

  it('does not depend on search_path', async () => {
    await onBackend(url, async (client) => {
      await client.query(`CREATE DOMAIN public.text AS int; CREATE DOMAIN public.int4 AS bool;
        SET LOCAL search_path = public, pg_catalog`);
      const kept = await client.query({ text: await filterOf('seq = 2'), rowMode: 'array' });
      assert.deepEqual(kept.rows, [['2']]);
      const { rows } = await run(client, 'SHOW CDC EVENTS LIMIT 1');
      assert.equal(rows.length, 1);
    });
  });

  const wrong: readonly (readonly [string, string])[] = [
    ["WHERE '😀' = operation AND ¦tableau = 'x'", '42703'],
    ['WHERE ¦count(*) > 1', '42803'],
    ['WHERE ¦seq', '42804'],
    ['WHERE operation ¦FROM orders', '42601'],
    ['WHERE true ¦ORDER BY seq', '42601'],
    ['WHERE true ¦UNION SELECT 1', '42601'],
  ];
  for (const [clauses, code] of wrong) {
    it(`points into the client's text at what Postgres refuses in ${clauses}`, async () => {
      const text = `SHOW CDC EVENTS ${clauses}`;
      const position = [...text].indexOf('¦') + 1;
      const lowered = await lower(text.replace('¦', ''));
      await onBackend(url, async (client) => {
        await assert.rejects(client.query(lowered.text), (error: PgFailure) => {
          assert.equal(error.code, code);
          assert.equal(clientPosition(lowered, Number(error.position)), position);
          return true;
        });
      });
    });
  }
});

type PgFailure = { readonly code: string; readonly position: string };

/** With the changes in the setting, in a transaction that is rolled back. */
function onBackend(url: string, use: (client: Client) => Promise<void>): Promise<void> {
  return withClient(url, async (client) => {
    await client.query('BEGIN; CREATE TABLE wanted AS SELECT 2 AS id');
    await client.query(handOverQuery(false), [
      'heliosdb.cdc_events_0',
      JSON.stringify(changes),
      true,
    ]);
    await use(client);
    await client.query('ROLLBACK');
  });
}

async function lower(text: string): Promise<Lowered> {
  const answer = await rewrite({
    text,
    protocol: 'extended',
    standardConformingStrings: true,
    parameterTypes: [],
    discovery: { kind: 'possible' },
  });
  assert.ok(answer.kind === 'send' && answer.loweredStatements === 1);
  return answer;
}

async function run(
  client: Client,
  text: string,
): Promise<{ rows: Record<string, unknown>[]; fields: { name: string; dataTypeID: number }[] }> {
  return client.query((await lower(text)).text);
}

async function filterOf(condition: string): Promise<string> {
  const { events } = await lower(`SHOW CDC EVENTS WHERE ${condition}`);
  return events![0]!.filter!.text;
}

/** As the contract has it. */
function clientPosition({ positions }: Lowered, sent: number): number {
  const segment = positions.findLast((each) => each.sent <= sent - 1)!;
  return segment.copied ? segment.client + (sent - segment.sent) : segment.client + 1;
}

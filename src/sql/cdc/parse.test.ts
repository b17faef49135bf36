import assert from 'node:assert/strict';
import { tokenize } from '../lexer.ts';
import { Source } from '../source.ts';
import { parseCdc } from './parse.ts';
import type { CdcStatement, ShowCdcEvents } from './statement.ts';
import { cdcStart } from './statement-start.ts';

async function parse(text: string, standardConformingStrings = true): Promise<CdcStatement> {
  const options = { standardConformingStrings };
  const tokens = tokenize(text, options);
  assert.ok(tokens !== null, text);
  const source = new Source(text, tokens);
  const start = cdcStart(source, { from: 0, to: tokens.length });
  assert.ok(start !== undefined, text);
  return parseCdc(source, start, options);
}

async function events(clauses: string, isStandard = true): Promise<ShowCdcEvents> {
  const statement = await parse(`SHOW CDC EVENTS ${clauses}`, isStandard);
  assert.ok(statement.stem === 'show-cdc-events');
  return statement;
}

async function where(clauses: string): Promise<string> {
  const { where: span } = await events(clauses);
  assert.ok(span !== undefined);
  return `SHOW CDC EVENTS ${clauses}`.slice(span.start, span.end);
}

describe('SHOW CDC EVENTS', () => {
  it('means the last hundred changes when it says nothing', async () => {
    assert.deepEqual(await events(''), {
      stem: 'show-cdc-events',
      table: undefined,
      where: undefined,
      since: undefined,
      limit: 100n,
      follows: false,
    });
  });

  it('takes every clause, in any case and with comments between', async () => {
    const statement = await parse(
      "sHoW--\ncdc /* a /* b */ */ events From Public . Orders wHere a = 1 since LSN '0/A' limit 5 follow",
    );
    assert.ok(statement.stem === 'show-cdc-events');
    assert.equal(statement.table?.name, 'Public.Orders');
    assert.equal(statement.since?.lsn, 10n);
    assert.equal(statement.limit, 5n);
    assert.equal(statement.follows, true);
  });

  const tables: readonly (readonly [string, string])[] = [
    ['orders', 'orders'],
    ['"My Schema".orders', '"My Schema".orders'],
    ['"a""b" /* x */ . "limit"', '"a""b"."limit"'],
    ['public.where', 'public.where'],
    ['größe', 'größe'],
    ['"where" WHERE true', '"where"'],
  ];
  for (const [written, name] of tables) {
    it(`reads the table of FROM ${written}`, async () => {
      assert.equal((await events(`FROM ${written}`)).table?.name, name);
    });
  }

  const conditions: readonly (readonly [string, string])[] = [
    ['WHERE a = 1', 'a = 1'],
    ['WHERE a = 1 -- since', 'a = 1'],
    ['WHERE a = 1 /* ) */ LIMIT 1', 'a = 1'],
    ["WHERE a = 'limit 1)' LIMIT 1", "a = 'limit 1)'"],
    ['WHERE a = $$ follow ( $$ FOLLOW', 'a = $$ follow ( $$'],
    ['WHERE "limit" = 1 LIMIT 1', '"limit" = 1'],
    ['WHERE cdc_events . limit = 1. LIMIT 1', 'cdc_events . limit = 1.'],
    ['WHERE (SELECT 1 LIMIT 1) = 1 LIMIT 2', '(SELECT 1 LIMIT 1) = 1'],
    ["WHERE a[(1)] IS DISTINCT FROM b SINCE LSN '0/0'", 'a[(1)] IS DISTINCT FROM b'],
    ["WHERE U&'d\\0061' = b'01' || $1 FOLLOW", "U&'d\\0061' = b'01' || $1"],
    ["WHERE key @> '{}'::jsonb", "key @> '{}'::jsonb"],
    ["WHERE (after->>'é😀')::int > 1e3", "(after->>'é😀')::int > 1e3"],
    ['WHERE extract(year FROM committed_at) = 2026', 'extract(year FROM committed_at) = 2026'],
    ['WHERE limited OR since_then', 'limited OR since_then'],
    ['WHERE a\u00a0 LIMIT 1', 'a\u00a0'],
  ];
  for (const [clauses, condition] of conditions) {
    it(`finds the end of ${clauses}`, async () => assert.equal(await where(clauses), condition));
  }

  it('reads LIMIT', async () => {
    assert.equal((await events('LIMIT ALL')).limit, undefined);
    assert.equal((await events('LIMIT 0')).limit, 0n);
    assert.equal((await events('LIMIT +007')).limit, 7n);
    assert.equal((await events('LIMIT -0')).limit, 0n);
    assert.equal((await events('LIMIT 9223372036854775807')).limit, 2n ** 63n - 1n);
  });

  it('reads SINCE LSN from every kind of string', async () => {
    for (const written of ["'1/2'", "e'1\\x2f2'", '$$1/2$$', '$a$1/2$a$', "'1'\n'/2'"]) {
      assert.equal((await events(`SINCE LSN ${written}`)).since?.lsn, 0x1_0000_0002n, written);
    }
    assert.equal((await events("SINCE LSN '1\\/2'", false)).since?.lsn, 0x1_0000_0002n);
  });
});

describe('ALTER CDC CAPTURE', () => {
  const statements: readonly (readonly [string, object])[] = [
    ['ENABLE', { action: 'enable' }],
    ['disable', { action: 'disable' }],
    ['RESUME SKIP GAP', { action: 'resume' }],
    [
      "SET (max_slot_lag = '1GB', Hold_For='10 min', confirm = LOGGED, retention_bytes = 5)",
      {
        action: 'set',
        options: {
          max_slot_lag: '1GB',
          hold_for: '10 min',
          confirm: 'logged',
          retention_bytes: '5',
        },
      },
    ],
    ["SET (retention_age = 'P1D')", { action: 'set', options: { retention_age: 'P1D' } }],
    [
      'RESET (confirm, retention_age)',
      { action: 'set', options: { confirm: null, retention_age: null } },
    ],
    [
      'EXCLUDE (public.Orders."E-Mail", "a""b".c.d)',
      { action: 'exclude', columns: ['"public"."orders"."E-Mail"', '"a""b"."c"."d"'] },
    ],
    ['INCLUDE (a.b.c)', { action: 'include', columns: ['"a"."b"."c"'] }],
  ];
  for (const [written, expected] of statements) {
    it(`reads ${written}`, async () => {
      const statement = await parse(`ALTER CDC CAPTURE ${written}`);
      assert.deepEqual(statement, { stem: 'alter-cdc-capture', ...expected });
    });
  }
});

describe('SHOW CDC', () => {
  it('reads STATUS, TABLES and READERS', async () => {
    for (const view of ['status', 'tables', 'readers']) {
      const statement = await parse(`SHOW CDC ${view.toUpperCase()}`);
      assert.deepEqual(statement, { stem: 'show-cdc-status', view });
    }
  });
});

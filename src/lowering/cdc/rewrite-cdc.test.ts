import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Lowered, Rewrite, RewriteInput } from '../../contracts/rewriter.ts';
import { parseDeadlineMs } from '../../core/limits.ts';
import { tokenize } from '../../sql/lexer.ts';
import { rewrite } from '../rewrite.ts';
import { definitionsOf, eventColumns, namesOf } from './columns.ts';

function ask(text: string, more: Partial<RewriteInput> = {}): Promise<Rewrite> {
  return rewrite({
    text,
    protocol: 'simple',
    standardConformingStrings: true,
    parameterTypes: [],
    discovery: { kind: 'impossible' },
    ...more,
  });
}

async function lower(text: string, more: Partial<RewriteInput> = {}): Promise<Lowered> {
  const answer = await ask(text, more);
  assert.ok(answer.kind === 'send', answer.kind);
  return answer;
}

const names = namesOf(eventColumns);
const owner = (isNamed: boolean): string =>
  `pg_catalog.concat('heliosdb_offered_', pg_catalog.lpad(pg_catalog.to_hex(` +
  `pg_catalog.hashtextextended(pg_catalog.concat(CURRENT_USER, ' '` +
  `${isNamed ? ", pg_catalog.current_setting('search_path')" : ''}), 0)), 16, '0'))`;
const rowsOf = (index: number, isNamed = false): string =>
  `pg_catalog.json_to_recordset(pg_catalog.concat(` +
  `pg_catalog.substr(pg_catalog.current_setting('heliosdb.cdc_events_${index}'), CASE WHEN ` +
  `pg_catalog.starts_with(pg_catalog.current_setting('heliosdb.cdc_events_${index}'), ` +
  `${owner(isNamed)}) THEN 34 ELSE 1 END),` +
  ` pg_catalog.set_config('heliosdb.cdc_events_${index}', '', false))::pg_catalog.json)` +
  ` AS cdc_events(${definitionsOf(eventColumns)})`;
const lastHundred = (index: number): string =>
  `SELECT ${names} FROM (SELECT ${names} FROM ${rowsOf(index)}` +
  ' ORDER BY epoch DESC, lsn DESC, seq DESC LIMIT 100) AS cdc_events ORDER BY epoch, lsn, seq';

/** What is Postgres's own. */
const passed: readonly string[] = [
  'SHOW cdc',
  'SHOW CDC;',
  'SHOW cdc.foo',
  'SHOW "cdc" events',
  'SHOW cdc; SELECT 1x',
  'SELECT cdc FROM t',
  'SELECT * FROM show cdc',
  'CREATE TABLE cdc (events int)',
  'ALTER TABLE cdc ADD capture int',
  'EXPLAIN SHOW CDC EVENTS',
  "SELECT 'SHOW CDC EVENTS' -- SHOW CDC EVENTS",
  'PREPARE p AS SHOW CDC EVENTS',
];

describe('statements on change data capture', () => {
  it('leave alone what only looks like one', async () => {
    for (const text of passed) {
      assert.deepEqual(await ask(text), { kind: 'pass' }, text);
      assert.deepEqual(await ask(text, { protocol: 'extended' }), { kind: 'pass' }, text);
    }
  });

  it('become plain SQL with their own command tag', async () => {
    const cases = [
      ['SHOW CDC EVENTS', lastHundred(0), 'SHOW'],
      ['ALTER CDC CAPTURE ENABLE', 'CALL heliosdb.enable_capture()', 'ALTER CDC CAPTURE'],
      ['ALTER CDC CAPTURE DISABLE', 'CALL heliosdb.disable_capture()', 'ALTER CDC CAPTURE'],
      [
        'ALTER CDC CAPTURE RESUME SKIP GAP',
        'CALL heliosdb.resume_capture(skip_gap => true)',
        'ALTER CDC CAPTURE',
      ],
      [
        "ALTER CDC CAPTURE SET (hold_for = '1 h', retention_age = E'it''s\\\\')",
        `CALL heliosdb.set_capture_options(E'{"hold_for":"1 h","retention_age":"it''s\\\\\\\\"}'::pg_catalog.jsonb)`,
        'ALTER CDC CAPTURE',
      ],
      [
        'ALTER CDC CAPTURE RESET (confirm)',
        `CALL heliosdb.set_capture_options('{"confirm":null}'::pg_catalog.jsonb)`,
        'ALTER CDC CAPTURE',
      ],
      [
        `ALTER CDC CAPTURE EXCLUDE (a.b.c, A."B'".c)`,
        `CALL heliosdb.exclude_columns(ARRAY['"a"."b"."c"', '"a"."B''"."c"']::pg_catalog.text[])`,
        'ALTER CDC CAPTURE',
      ],
    ] as const;
    for (const [text, sent, tag] of cases) {
      for (const protocol of ['simple', 'extended'] as const) {
        const lowered = await lower(text, { protocol });
        assert.equal(lowered.text, sent);
        assert.deepEqual(lowered.tags, [{ statement: 0, tag }]);
        assert.equal(lowered.loweredStatements, 1);
      }
    }
  });

  it('read the first changes from an LSN, the last ones otherwise, all with LIMIT ALL', async () => {
    const since = await lower("SHOW CDC EVENTS SINCE LSN '1/0' LIMIT 3");
    assert.equal(since.text, `SELECT ${names} FROM ${rowsOf(0)} ORDER BY epoch, lsn, seq LIMIT 3`);
    const all = await lower('SHOW CDC EVENTS WHERE a /* ( */ = 1 -- x\n LIMIT ALL -- y');
    assert.equal(
      all.text,
      `SELECT ${names} FROM ${rowsOf(0)} WHERE (a /* ( */ = 1) ORDER BY epoch, lsn, seq -- y`,
    );
  });

  it('tell the proxy what to hand over', async () => {
    const text = `SELECT 1; SHOW CDC EVENTS FROM "é".b WHERE xid = '1' SINCE LSN '1/F' LIMIT 2`;
    const { events } = await lower(text);
    const { filter, ...read } = events![0]!;
    assert.deepEqual(read, {
      statement: 1,
      setting: 'heliosdb.cdc_events_0',
      table: { name: '"é".b', position: text.indexOf('"é"') + 1 },
      sinceLsn: { lsn: 0x1_0000_000fn, position: text.indexOf("'1/F'") + 1 },
      limit: 2,
      isFiltered: true,
      follows: false,
      isBehindBegin: false,
      isAlone: false,
    });
    assert.match(filter!.text, /^SELECT pg_catalog\.string_agg\(.* WHERE \(xid = '1'\)$/);
    const at = filter!.positions.find(({ copied }) => copied);
    assert.deepEqual(at, {
      sent: filter!.text.indexOf("xid = '1'"),
      client: text.indexOf("xid = '1'"),
      copied: true,
    });
    const follow = await lower('SHOW CDC EVENTS LIMIT 9223372036854775807 FOLLOW');
    assert.deepEqual(follow.events, [
      {
        statement: 0,
        setting: 'heliosdb.cdc_events_0',
        limit: Number.MAX_SAFE_INTEGER,
        isFiltered: false,
        follows: true,
        isBehindBegin: false,
        isAlone: true,
      },
    ]);
  });

  const behind: readonly (readonly [string, boolean])[] = [
    ['BEGIN ISOLATION LEVEL SERIALIZABLE', true],
    ['start transaction', true],
    ['SET TRANSACTION READ ONLY', true],
    ['SET a = 1', false],
    ['"begin"', false],
  ];
  for (const [before, isBehindBegin] of behind) {
    it(`${isBehindBegin ? 'stand' : 'do not stand'} behind a beginning in ${before}`, async () => {
      const { events } = await lower(`${before}; SHOW CDC EVENTS`);
      assert.equal(events![0]!.isBehindBegin, isBehindBegin);
    });
  }

  it('read what was handed over with LIMIT 0 too', async () => {
    const { text } = await lower('SHOW CDC EVENTS LIMIT 0');
    assert.equal(text, `SELECT ${names} FROM ${rowsOf(0)} ORDER BY epoch, lsn, seq`);
  });

  it('stand beside each other, plain statements and windows', async () => {
    const { text, tags, events, loweredStatements, errors } = await lower(
      `BEGIN; SHOW CDC EVENTS; SELECT 'é😀', TUMBLE(ts, INTERVAL '1 hour') FROM t;;
       SHOW CDC TABLES; RELEASE a; SHOW CDC EVENTS; COMMIT`,
      { discovery: { kind: 'possible' } },
    );
    assert.equal(loweredStatements, 4);
    assert.deepEqual(tags, [
      { statement: 1, tag: 'SHOW' },
      { statement: 3, tag: 'SHOW' },
      { statement: 5, tag: 'SHOW' },
    ]);
    assert.deepEqual(
      events?.map(({ statement, setting }) => [statement, setting]),
      [
        [1, 'heliosdb.cdc_events_0'],
        [5, 'heliosdb.cdc_events_1'],
      ],
    );
    assert.ok(text.startsWith(`BEGIN; ${lastHundred(0)}; SELECT 'é😀', date_bin(`), text);
    assert.ok(text.endsWith(`; RELEASE a; ${lastHundred(1)}; COMMIT`), text);
    const refusals = errors.filter(({ fields }) => 'code' in fields && fields.code === '0A000');
    assert.deepEqual(
      refusals.map(({ when }) => when.contextIncludes),
      ['heliosdb_offered_', 'heliosdb_offered_'],
    );
  });

  it('do not cost more than their number', async () => {
    const from = performance.now();
    const many = await lower('SHOW CDC STATUS;SHOW CDC TABLES;'.repeat(16_000));
    assert.equal(many.loweredStatements, 32_000);
    assert.equal(many.errors.length, 8);
    const refused = await lower(
      `${'SELECT 1;'.repeat(16_000)}END;${'SHOW CDC EVENTS;'.repeat(16_000)}`,
    );
    assert.equal(refused.errors.length, 1);
    assert.ok(!refused.text.includes('CDC EVENTS;'));
    // They take a tenth of this.
    assert.ok(performance.now() - from < 2 * parseDeadlineMs);
  });

  it('keep the probe of a window that comes first', async () => {
    const text = "SELECT TUMBLE(ts, INTERVAL '1 hour') FROM t; SHOW CDC EVENTS";
    const probe = await ask(text, { discovery: { kind: 'possible' } });
    assert.ok(probe.kind === 'probe');
    assert.ok(!probe.text.includes('CDC'));
  });

  it('leave a syntax error elsewhere in the Query to Postgres', async () => {
    for (const broken of ['SELEC 1', "SELECT TUMBLE(ts INTERVAL '1 hour') FROM t"]) {
      const lowered = await lower(`SHOW CDC EVENTS; ${broken}`);
      assert.equal(lowered.text, `${lastHundred(0)}; ${broken}`);
    }
  });

  it('let Postgres say what its scanner cannot read', async () => {
    for (const broken of ["'a", '"a', '$$a', '/* a', "E'\\", '1x']) {
      const text = `SELECT 'é'; SHOW CDC EVENTS WHERE a = ${broken}`;
      const { text: sent, positions } = await lower(text);
      assert.equal(sent.replace('SELECT heliosdb_refused ', '').trim(), broken);
      const copied = positions.at(-1)!;
      assert.equal([...text].slice(copied.client).join(''), sent.slice(copied.sent));
    }
  });

  it('are explained as what is sent', async () => {
    const explained = await lower("EXPLAIN (LOWERED) SHOW CDC EVENTS WHERE operation = 'é'");
    const plain = await lower("SHOW CDC EVENTS WHERE operation = 'é'");
    assert.ok(explained.text.includes(plain.text.replaceAll("'", "''")), explained.text);
    assert.deepEqual(explained.tags, [{ statement: 0, tag: 'EXPLAIN' }]);
    assert.equal(explained.events, undefined);
  });

  it('never let a condition reach what stands behind it', async () => {
    const fragment = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 6 }),
      fc.constantFrom(
        ...['--', '/*', '*/', "'", '"', '$$', '$a$', '(', ')', '[', ']', ';', '\\', "E'", "U&'"],
        ...[' limit 1', ' follow', " since lsn '0/0'", '\n', '.', '1.', ' -- x', 'a', '=', '::'],
        ...[' begin atomic ', ' case ', ' end '],
      ),
    );
    const condition = fc.array(fragment, { maxLength: 14 }).map((parts) => parts.join(''));
    let lowered = 0;
    await fc.assert(
      fc.asyncProperty(condition, fc.boolean(), async (drawn, standardConformingStrings) => {
        const options = { standardConformingStrings };
        const answer = await ask(`SHOW CDC EVENTS WHERE ${drawn}`, options);
        assert.ok(answer.kind === 'send');
        const [read] = answer.events ?? [];
        if (read === undefined) return;
        lowered += 1;
        const tokens = tokenize(answer.text, options);
        assert.ok(tokens !== null, answer.text);
        const head = tokenize(answer.text.slice(0, answer.text.indexOf(' WHERE (') + 8), options);
        const closing = closingBracket(
          tokens.map(({ name }) => name),
          head!.length - 1,
        );
        const tail = tokens
          .slice(closing)
          .map(({ name }) => name)
          .join(' ');
        assert.match(
          tail,
          /^\) order by epoch (?:desc , lsn desc , seq desc limit \d+ \) as cdc_events order by epoch )?, lsn , seq/,
        );
        assert.match(tokenize(read.filter!.text, options)!.at(-1)!.name, /^\)$/);
      }),
      { numRuns: 3_000 },
    );
    assert.ok(lowered > 200, `${lowered} of the conditions were lowered`);
  });
});

/** Index of the bracket that closes the one at `open`. */
function closingBracket(names: readonly string[], open: number): number {
  let depth = 0;
  for (let at = open; at < names.length; at += 1) {
    if (names[at] === '(') depth += 1;
    if (names[at] === ')') depth -= 1;
    if (depth === 0) return at;
  }
  return names.length;
}

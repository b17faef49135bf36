import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Discovery, ErrorFields, Rewrite, RewriteInput } from '../contracts/rewriter.ts';
import {
  claimedNestingMax,
  claimedOperatorsMax,
  claimedTextUnitsMax,
  parseDeadlineMs,
  parserWorkerStackMb,
} from '../core/limits.ts';
import { rewrite } from './rewrite.ts';

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

/** Texts that are none of ours, or that the server itself has to answer. */
const passed: readonly string[] = [
  '',
  'SELECT 1',
  "SELECT 'TUMBLE(ts, 1)', E'\\'HOP(', U&'SESSION(', B'1'",
  'SELECT 1 /* TUMBLE(ts, 1) /* HOP( */ SESSION( */ -- tumble(x)\n, 2',
  'SELECT "tumble"(ts, 1) FROM t',
  'SELECT "TUMBLE"(ts, 1) FROM t',
  'SELECT U&"tumble"(ts, 1) FROM t',
  'SELECT public.hop(ts, 1, 2), a.b.session(1) FROM t',
  'SELECT "public" . tumble (ts, 1) FROM t',
  'SELECT tumble, hop, session FROM t',
  'SELECT t.tumble FROM t',
  'SELECT tumble AS hop FROM t session',
  'SELECT étumble(ts, 1), tumbleé(ts), tumble1(ts), tumble_(ts), _hop(1), tumble$(ts)',
  'SELECT tumble_starts(ts, 1), hop_begin(ts)',
  'SET SESSION AUTHORIZATION DEFAULT',
  'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY',
  'SET session (a)',
  'CREATE TABLE tumble (hop int, session int)',
  'INSERT INTO hop (tumble) VALUES (1)',
  'CREATE INDEX ON hop (session)',
  "SELECT TUMBLE(ts, '1 hour",
  'SELECT TUMBLE(ts, "1 hour',
  'SELECT TUMBLE(ts, $$1 hour',
  "SELECT TUMBLE(ts, E'1 hour\\')",
  'SELECT TUMBLE(ts, 1 /* hour)',
  'SELECT TUMBLE(ts, INTERVAL',
  "SELECT TUMBLE(ts, INTERVAL '1 hour'",
  "SELECT TUMBLE(ts INTERVAL '1 hour') FROM t",
  "SELECT FROM WHERE TUMBLE(ts, INTERVAL '1 hour')",
  "SELEC TUMBLE(ts, INTERVAL '1 hour')",
  "SELECT TUMBLE(ts, INTERVAL '1 hour')); SELECT 1",
  'DROP FUNCTION tumble(timestamp, interval)',
  'CREATE FUNCTION hop(int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
];

describe('rewrite', () => {
  it('passes what is not ours', async () => {
    for (const text of passed) {
      assert.deepEqual(await ask(text), { kind: 'pass' }, text);
      assert.deepEqual(await ask(text, { protocol: 'extended' }), { kind: 'pass' }, text);
    }
  });

  it('leaves function bodies alone, but for a hint on what they lack', async () => {
    const text = 'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT TUMBLE(a, b) $$';
    const answer = await ask(text);
    assert.ok(answer.kind === 'send');
    assert.equal(answer.text, text);
    assert.equal(answer.loweredStatements, 0);
    assert.ok(answer.errors.every(({ fields }) => Object.keys(fields).join() === 'hint'));
  });

  it('passes a Parse of several statements, which Postgres refuses', async () => {
    const text = "SELECT 1; SELECT TUMBLE(ts, INTERVAL '1 hour') FROM t";
    assert.deepEqual(await ask(text, { protocol: 'extended' }), { kind: 'pass' });
  });

  it('claims the bare name in any case, with blanks and comments before the bracket', async () => {
    for (const name of [
      'TUMBLE',
      'tumble',
      'TuMbLe',
      'tumble ',
      'tumble /* ( */\n',
      'tumble--\n',
    ]) {
      const answer = await ask(`SELECT ${name}(ts, INTERVAL '1 hour') FROM t`);
      assert.equal(answer.kind, 'send', name);
    }
  });

  it('reads quotes by standard_conforming_strings', async () => {
    const text = "SELECT '\\', TUMBLE(ts, '1 hour') FROM t --'";
    assert.equal((await ask(text)).kind, 'send');
    const off = await ask(text, { standardConformingStrings: false });
    assert.deepEqual(off, { kind: 'pass' });
  });

  it('changes nothing but the statements it lowers', async () => {
    const before = 'SELECT \'é;\' /* ; */; INSERT INTO "x;y" VALUES ($$;$$) ;\n';
    const after = " ;; SELECT '😀' -- end;\n";
    const answer = await ask(`${before}SELECT TUMBLE(ts, INTERVAL '1 hour') FROM t${after}`);
    assert.equal(answer.kind, 'send');
    assert.ok(
      answer.kind === 'send' && answer.text.startsWith(before) && answer.text.endsWith(after),
    );
    assert.equal(answer.loweredStatements, 1);
  });

  it('lowers TUMBLE to date_bin in place, its column still named tumble', async () => {
    const types: Discovery = { kind: 'done', types: [1184], surveyed: null };
    const text = "SELECT a, TUMBLE(ts, INTERVAL '1 hour') FROM t";
    const answer = await ask(text, { discovery: types });
    assert.ok(answer.kind === 'send');
    assert.equal(
      answer.text,
      "SELECT a, date_bin(INTERVAL '1 hour', ts, 'epoch') AS tumble FROM t",
    );
  });

  it('asks for the type of the time first when it may', async () => {
    const text = "SELECT TUMBLE(ts, INTERVAL '1 hour') FROM t WHERE x = $2";
    const answer = await ask(text, { discovery: { kind: 'possible' }, protocol: 'extended' });
    assert.ok(answer.kind === 'probe');
    assert.match(answer.text, /GREATEST\(ts, \$3\)/);
    assert.deepEqual(answer.parameterTypes, [0, 0]);
  });

  it('refuses one statement of a Query in its place', async () => {
    const answer = await ask("SELECT 1; SELECT HOP(ts, '1 h', '2 h') FROM t; SELECT 2");
    assert.ok(answer.kind === 'send');
    assert.match(answer.text, /^SELECT 1; SELECT heliosdb_refused \/\* .* \*\/; SELECT 2$/);
    assert.equal(answer.loweredStatements, 0);
  });

  it('answers a chain of 20,000 operators with 54001, fifty times over, and goes on', async () => {
    const hostile = `SELECT TUMBLE(ts, INTERVAL '1 hour') + ${'1+'.repeat(20_000)}1 FROM t`;
    for (let time = 0; time < 50; time += 1) {
      assert.equal((await fieldsOf(await ask(hostile))).code, '54001');
    }
    assert.equal((await ask("SELECT TUMBLE(ts, INTERVAL '1 hour') FROM t")).kind, 'send');
  });

  it('counts operators, brackets and characters of the windowed statement', async () => {
    const window = "TUMBLE(ts, INTERVAL '1 hour')";
    const chain = (count: number) => `SELECT ${window}, 1${'+1'.repeat(count)} FROM t`;
    const nested = (depth: number) =>
      `SELECT ${window}, ${'('.repeat(depth)}1${')'.repeat(depth)} FROM t`;
    const long = (units: number) => {
      const start = `SELECT ${window}, '`;
      return `${start}${'x'.repeat(units - start.length - "' FROM t".length)}' FROM t`;
    };
    const cases = [
      [chain(claimedOperatorsMax), chain(claimedOperatorsMax + 1), `hold ${claimedOperatorsMax}`],
      [
        nested(claimedNestingMax),
        nested(claimedNestingMax + 1),
        `nest ${claimedNestingMax} levels`,
      ],
      [long(claimedTextUnitsMax), long(claimedTextUnitsMax + 1), `be ${claimedTextUnitsMax} char`],
    ] as const;
    for (const [most, tooMuch, detail] of cases) {
      const lowered = await askInWorker(most);
      assert.ok(lowered.kind === 'send' && lowered.loweredStatements === 1, detail);
      const fields = await fieldsOf(await ask(tooMuch));
      assert.equal(fields.code, '54001');
      assert.equal(fields.message, 'stack depth limit exceeded');
      assert.ok(fields.detail?.includes(detail), fields.detail);
      assert.match(fields.hint ?? '', /date_bin\(\)/);
    }
  });

  it('lowers as many windows as a statement can hold well before its deadline', async () => {
    const window = "TUMBLE(t, INTERVAL '30 minutes')";
    const hop = "SELECT HOP(t, '1 hour', '2 hours'), sum(v) FROM ev GROUP BY 1";
    const many = (text: string, by: string, around: number) => {
      const count = Math.floor((claimedTextUnitsMax - around) / (text.length + by.length));
      return Array.from({ length: count }, () => text).join(by);
    };
    const texts = [
      `SELECT ${many(window, ', ', 100)} FROM ev GROUP BY ${window}`,
      `SELECT count(*) FROM ev GROUP BY ${window} ORDER BY ${many(window, ', ', 100)}`,
      `SELECT '😀' FROM ev GROUP BY ${window} HAVING coalesce(${many(window, ', ', 150)}) > now()`,
      many(hop, ' UNION ALL ', 0),
    ];
    for (const text of texts) {
      const from = performance.now();
      const probe = await ask(text, { discovery: { kind: 'possible' } });
      const types = Array.from({ length: 5_000 }, () => 1184);
      const done = await ask(text, { discovery: { kind: 'done', types, surveyed: null } });
      assert.ok(probe.kind === 'probe' && done.kind === 'send' && done.loweredStatements === 1);
      // It takes a twentieth of this; with a pass over the edits per window, several times this.
      assert.ok(performance.now() - from < 2 * parseDeadlineMs, text.slice(0, 60));
    }
  });

  it('does not hold a long neighbour against the windowed statement', async () => {
    const text = `SELECT '${'x'.repeat(claimedTextUnitsMax)}'; SELECT TUMBLE(ts, '1 hour') FROM t`;
    const answer = await ask(text);
    assert.ok(answer.kind === 'send');
    assert.equal(answer.loweredStatements, 1);
  });

  it('answers EXPLAIN (LOWERED) with the text it would send', async () => {
    const query = "SELECT TUMBLE(ts, INTERVAL '1 hour') FROM t";
    const plain = await ask(query);
    const explained = await ask(`EXPLAIN (LOWERED) ${query}`);
    assert.ok(plain.kind === 'send' && explained.kind === 'send');
    assert.ok(explained.text.includes(plain.text.replaceAll("'", "''")), explained.text);
    assert.deepEqual(explained.tags, [{ statement: 0, tag: 'EXPLAIN' }]);
  });
});

/** With the stack a rewriter has in the proxy: legal statements recurse deeply. */
async function askInWorker(text: string): Promise<Rewrite> {
  const input: RewriteInput = {
    text,
    protocol: 'simple',
    standardConformingStrings: true,
    parameterTypes: [],
    discovery: { kind: 'impossible' },
  };
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module)
      .then(({ rewrite }) => rewrite(workerData.input))
      .then((answer) => parentPort.postMessage(answer));`;
  const worker = new Worker(code, {
    eval: true,
    workerData: { module: new URL('./rewrite.js', import.meta.url).href, input },
    resourceLimits: { stackSizeMb: parserWorkerStackMb },
  });
  const [answer] = (await once(worker, 'message')) as [Rewrite];
  await worker.terminate();
  return answer;
}

async function fieldsOf(answer: Rewrite): Promise<ErrorFields> {
  assert.ok(answer.kind === 'send', answer.kind);
  const fields = answer.errors[0]?.fields;
  assert.ok(fields !== undefined && 'code' in fields);
  return fields;
}

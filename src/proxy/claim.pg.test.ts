import assert from 'node:assert/strict';
import type { ProxyServer } from './proxy-server.ts';
import { MarkedRewriter, refusalHint } from './testing/marked-rewriter.ts';
import { proxyUnderTest, type Witness } from './testing/proxy-under-test.ts';
import {
  bind,
  copyData,
  copyDone,
  describePortal,
  describeStatement,
  errorOf,
  execute,
  flush,
  parse,
  query,
  statusOf,
  sync,
  tagsOf,
  typesOf,
  valuesOf,
  WireClient,
} from './testing/wire-client.ts';

describe('claimed statements', function () {
  this.timeout(20_000);
  let proxy: ProxyServer;
  let witness: Witness;
  let rewriter: MarkedRewriter;
  let client: WireClient;

  before(async () => {
    rewriter = new MarkedRewriter();
    ({ proxy, witness } = await proxyUnderTest({ rewriter }));
  });
  after(() => proxy.stop());
  beforeEach(async () => {
    client = await WireClient.connect(proxy.address);
    await client.query('CREATE TEMPORARY TABLE kept (id int)');
  });
  afterEach(() => client.close());

  const kept = async (): Promise<string[]> =>
    valuesOf(await client.query('SELECT count(*) FROM kept'));

  describe('in a simple Query', () => {
    it('are sent in their rewritten form', async () => {
      const messages = await client.query('SELECT tumble(-5)');
      assert.equal(typesOf(messages), 'TDCZ');
      assert.deepEqual(valuesOf(messages), ['5']);
      assert.equal(witness.lowered > 0, true);
    });

    it("report errors at the place in the client's text", async () => {
      const text = 'SELECT "naïve😀", tumble(1) FROM (SELECT 1 AS "naïve😀") s WHERE nowhere';
      const error = errorOf(await client.query(text));
      assert.equal(error['C'], '42703');
      assert.equal(error['P'], String([...text.slice(0, text.indexOf('nowhere'))].length + 1));
      assert.notEqual(error['R'], undefined);
    });

    it('keep several statements in one Query, one implicit transaction', async () => {
      const messages = await client.query(
        'INSERT INTO kept VALUES (1); SELECT tumble(-2); SELECT 1 / 0',
      );
      assert.equal(typesOf(messages), 'CTDCEZ');
      assert.deepEqual(await kept(), ['0']);
    });

    it('change the tag of the statement that is meant', async () => {
      const messages = await client.query(
        'SELECT (lowered) FROM (SELECT 1) v(lowered); INSERT INTO kept VALUES (1); SELECT 3',
      );
      assert.deepEqual(tagsOf(messages), ['LOWERED 0', 'LOWERED 1', 'LOWERED 2']);
      assert.deepEqual(tagsOf(await client.query('SELECT 1')), ['SELECT 1']);
    });

    it('map the position of notices too', async () => {
      await client.query('SET standard_conforming_strings = off');
      const text = String.raw`SELECT tumble(1), 'a\\b'`;
      const messages = await client.query(text);
      const notice = messages.find((message) => message.type === 'N');
      assert.equal(notice?.fields['C'], '22P06');
      assert.equal(notice?.fields['P'], String(text.indexOf("'") + 1));
      assert.equal(rewriter.inputs.at(-1)?.standardConformingStrings, false);
    });

    it('are refused with the rewritten fields only', async () => {
      const text = 'SELECT 1, hop()';
      const messages = await client.query(text);
      assert.equal(typesOf(messages), 'EZ');
      assert.deepEqual(errorOf(messages), {
        S: 'ERROR',
        V: 'ERROR',
        C: '22023',
        M: 'window size must be positive',
        D: 'The size given is -1.',
        H: refusalHint,
        P: '11',
      });
      assert.ok(witness.refused.includes('22023'));
    });

    it('refused in the middle of a Query roll the rest back', async () => {
      const messages = await client.query('INSERT INTO kept VALUES (1); SELECT hop(); SELECT 2');
      assert.equal(typesOf(messages), 'CEZ');
      assert.deepEqual(await kept(), ['0']);
    });

    it('refused when they run keep what ran before in its place', async () => {
      const messages = await client.query('INSERT INTO kept VALUES (1); SELECT hop_end()');
      assert.equal(errorOf(messages)['C'], '22023');
      assert.equal(errorOf(messages)['H'], refusalHint);
      assert.deepEqual(await kept(), ['0']);
    });

    it('wait for pipelined Queries before them', async () => {
      client.send(query('BEGIN'), query('SELECT tumble_start(1)'), query('ROLLBACK'));
      assert.equal(statusOf(await client.until('Z')), 'T');
      const messages = await client.until('Z');
      assert.equal(typesOf(messages), 'TDCZ');
      assert.equal(statusOf(messages), 'T');
      assert.equal(statusOf(await client.until('Z')), 'I');
    });

    it('wait for extended messages that have no Sync', async () => {
      client.send(parse('SELECT 1'), bind(), execute(), query('SELECT tumble_start(1)'));
      const messages = await client.until('Z');
      assert.equal(typesOf(messages), '12DCTDCZ');
    });

    it('are skipped as they are behind an extended error', async () => {
      const before = rewriter.inputs.length;
      client.send(parse('SELECT nowhere'), flush);
      await client.until('E');
      client.send(query('SELECT tumble(1)'), sync);
      assert.equal(typesOf(await client.until('Z')), 'Z');
      assert.equal(rewriter.inputs.length, before);
    });
  });

  describe('probed in a simple Query', () => {
    it('get the types and answer once', async () => {
      const messages = await client.query('SELECT tumble_start(1)');
      assert.equal(typesOf(messages), 'TDCZ');
      assert.deepEqual(rewriter.inputs.at(-1)?.discovery, {
        kind: 'done',
        types: [],
        surveyed: null,
      });
    });

    it('leave no transaction open', async () => {
      assert.equal(statusOf(await client.query('SELECT tumble_start(1)')), 'I');
      const messages = await client.query('VACUUM kept');
      assert.equal(typesOf(messages), 'CZ');
    });

    it('leave the transaction as it is inside BEGIN', async () => {
      await client.query('BEGIN; INSERT INTO kept VALUES (1)');
      assert.equal(statusOf(await client.query('SELECT tumble_start(1)')), 'T');
      assert.equal(statusOf(await client.query('COMMIT')), 'I');
      assert.deepEqual(await kept(), ['1']);
    });

    it('answer the error of the statement that follows', async () => {
      const messages = await client.query('SELECT tumble_start(1); SELECT 1 / 0');
      assert.equal(typesOf(messages), 'TDCEZ');
      assert.equal(statusOf(messages), 'I');
      await client.query('BEGIN');
      assert.equal(statusOf(await client.query('SELECT tumble_start(1); SELECT 1 / 0')), 'E');
    });

    it('roll back what the failing Query did', async () => {
      await client.query('INSERT INTO kept VALUES (1); SELECT tumble_start(1); SELECT 1 / 0');
      assert.deepEqual(await kept(), ['0']);
    });

    it('answer the error of the probe, at its place', async () => {
      const messages = await client.query('SELECT session()');
      assert.equal(typesOf(messages), 'EZ');
      assert.equal(errorOf(messages)['C'], '42703');
      assert.equal(errorOf(messages)['P'], '7');
      assert.equal(statusOf(messages), 'I');
    });

    it('fail a transaction block with the probe', async () => {
      await client.query('BEGIN');
      assert.equal(statusOf(await client.query('SELECT session()')), 'E');
      const refused = await client.query('SELECT tumble_start(1)');
      assert.equal(errorOf(refused)['C'], '25P02');
      assert.deepEqual(rewriter.inputs.at(-1)?.discovery, { kind: 'impossible' });
      assert.equal(statusOf(await client.query('ROLLBACK')), 'I');
    });

    it('go back to a savepoint after the error', async () => {
      await client.query('BEGIN; INSERT INTO kept VALUES (1); SAVEPOINT s');
      await client.query('SELECT session()');
      await client.query('ROLLBACK TO s');
      assert.equal(statusOf(await client.query('SELECT tumble_start(1)')), 'T');
      await client.query('COMMIT');
      assert.deepEqual(await kept(), ['1']);
    });

    it('work again and again', async () => {
      for (let i = 0; i < 5; i++) {
        await client.query('SELECT session()');
        assert.equal(typesOf(await client.query('SELECT tumble_start(1)')), 'TDCZ');
      }
    });
  });

  describe('in the extended protocol', () => {
    it('are prepared in their rewritten form, named and unnamed', async () => {
      for (const statement of ['', 'mine']) {
        client.send(
          parse('SELECT tumble($1)', statement),
          describeStatement(statement),
          bind({ statement, values: ['-7'] }),
          describePortal(),
          execute(),
          sync,
        );
        const messages = await client.until('Z');
        assert.equal(typesOf(messages), '1tT2TDCZ');
        assert.deepEqual(valuesOf(messages), ['7']);
      }
    });

    it('keep the declared parameter types', async () => {
      const name = Buffer.from('\0');
      const text = Buffer.from('SELECT tumble($1)\0');
      const body = Buffer.concat([name, text, Buffer.from([0, 1, 0, 0, 0, 20])]);
      const header = Buffer.from([0x50, 0, 0, 0, 4 + body.length]);
      client.send(header, body, describeStatement(), sync);
      const messages = await client.until('Z');
      const description = messages.find((message) => message.type === 't');
      assert.equal(description?.body.readUInt32BE(2), 20);
      assert.deepEqual(rewriter.inputs.at(-1)?.parameterTypes, [20]);
    });

    it('report the errors of Parse, at their place', async () => {
      const text = 'SELECT tumble(1), nowhere';
      client.send(parse(text), bind(), execute(), sync);
      const messages = await client.until('Z');
      assert.equal(typesOf(messages), 'EZ');
      assert.equal(errorOf(messages)['P'], String(text.indexOf('nowhere') + 1));
    });

    it('word errors that come when they run, for each later Execute', async () => {
      client.send(parse('SELECT hop_end()', 'late'), sync);
      await client.until('Z');
      for (let i = 0; i < 2; i++) {
        client.send(bind({ statement: 'late', portal: 'p' }), execute('p'), sync);
        const error = errorOf(await client.until('Z'));
        assert.equal(error['C'], '22023');
        assert.equal(error['H'], refusalHint);
      }
      // A plain statement beside it keeps its own error.
      client.send(parse('SELECT 1 / $1::int'), bind({ values: ['0'] }), execute(), sync);
      assert.equal(errorOf(await client.until('Z'))['C'], '22012');
    });

    it('stop being reworded when the name is taken over', async () => {
      client.send(parse('SELECT hop_end()'), sync);
      await client.until('Z');
      client.send(parse('SELECT 1 / $1::int'), bind({ values: ['0'] }), execute(), sync);
      assert.equal(errorOf(await client.until('Z'))['C'], '22012');
    });

    it('keep their meaning when a second Parse of the name fails', async () => {
      client.send(parse('SELECT hop_end()', 'twice'), sync);
      await client.until('Z');
      client.send(parse('SELECT 1', 'twice'), sync);
      assert.equal(errorOf(await client.until('Z'))['C'], '42P05');
      client.send(bind({ statement: 'twice' }), execute(), sync);
      assert.equal(errorOf(await client.until('Z'))['C'], '22023');
    });

    it('change the tag of each Execute', async () => {
      client.send(parse('SELECT (lowered) FROM (SELECT 1) v(lowered)'), bind(), execute(), sync);
      assert.deepEqual(tagsOf(await client.until('Z')), ['LOWERED 0']);
    });

    it('refused in a pipeline roll back what came before them', async () => {
      client.send(
        parse('INSERT INTO kept VALUES (1)'),
        bind(),
        execute(),
        parse('SELECT hop()'),
        bind(),
        execute(),
        sync,
      );
      const messages = await client.until('Z');
      assert.equal(typesOf(messages), '12CEZ');
      assert.equal(errorOf(messages)['C'], '22023');
      assert.equal(statusOf(messages), 'I');
      assert.deepEqual(await kept(), ['0']);
    });

    it('refused inside BEGIN fail the transaction', async () => {
      await client.query('BEGIN; INSERT INTO kept VALUES (1)');
      client.send(parse('SELECT hop()'), sync);
      assert.equal(statusOf(await client.until('Z')), 'E');
      client.send(parse('SELECT hop()'), sync);
      assert.equal(errorOf(await client.until('Z'))['C'], '25P02');
      await client.query('ROLLBACK');
      assert.deepEqual(await kept(), ['0']);
    });

    it('refused after a savepoint leave it usable', async () => {
      await client.query('BEGIN; INSERT INTO kept VALUES (1); SAVEPOINT s');
      client.send(parse('SELECT hop()'), bind(), execute(), sync);
      assert.equal(statusOf(await client.until('Z')), 'E');
      await client.query('ROLLBACK TO s; COMMIT');
      assert.deepEqual(await kept(), ['1']);
    });
  });

  describe('probed in the extended protocol', () => {
    it('hide the probe', async () => {
      client.send(parse('SELECT tumble_start(1)'), describeStatement(), bind(), execute(), sync);
      assert.equal(typesOf(await client.until('Z')), '1tT2DCZ');
    });

    it('learn the types of the probe', async () => {
      client.send(parse('SELECT tumble_start($1::int8)'), sync);
      await client.until('Z');
      assert.deepEqual(rewriter.inputs.at(-1)?.discovery, {
        kind: 'done',
        types: [20],
        surveyed: null,
      });
    });

    it('answer the error of the probe and skip to Sync', async () => {
      client.send(
        parse('INSERT INTO kept VALUES (1)'),
        bind(),
        execute(),
        parse('SELECT session()'),
        bind(),
        execute(),
        sync,
        query('SELECT 1'),
      );
      const messages = await client.until('Z');
      assert.equal(typesOf(messages), '12CEZ');
      assert.equal(errorOf(messages)['P'], '7');
      assert.equal(typesOf(await client.until('Z')), 'TDCZ');
      assert.deepEqual(await kept(), ['0']);
    });

    it('are dropped when an earlier message fails', async () => {
      client.send(
        parse('SELECT nowhere'),
        parse('SELECT tumble_start(1)'),
        bind(),
        execute(),
        sync,
      );
      const messages = await client.until('Z');
      assert.equal(typesOf(messages), 'EZ');
      assert.equal(errorOf(messages)['C'], '42703');
      client.send(parse('SELECT tumble_start(1)'), bind(), execute(), sync);
      assert.equal(typesOf(await client.until('Z')), '12DCZ');
    });

    it('pipeline one after the other', async () => {
      const one = [parse('SELECT tumble_start(1)'), bind(), execute()];
      client.send(...one, ...one, sync, ...one, sync);
      assert.equal(typesOf(await client.until('Z')), '12DC12DCZ');
      assert.equal(typesOf(await client.until('Z')), '12DCZ');
    });
  });

  describe('by name', () => {
    const tagOf = async (statement: string): Promise<string[]> => {
      client.send(bind({ statement }), execute(), sync);
      return tagsOf(await client.until('Z'));
    };
    const tagged = 'SELECT (lowered) FROM (SELECT 1) v(lowered)';

    it('are the same where Postgres takes names for the same', async () => {
      const name = 'n'.repeat(63);
      client.send(parse(tagged, `${name}${'x'.repeat(100_000)}`), sync);
      await client.until('Z');
      assert.deepEqual(await tagOf(`${name}yy`), ['LOWERED 0']);
      assert.deepEqual(await tagOf(name), ['LOWERED 0']);
    });

    it('are forgotten with all the backend has', async () => {
      for (const forget of ['DEALLOCATE ALL', 'DISCARD ALL']) {
        client.send(parse(tagged, 'a'), sync);
        await client.until('Z');
        assert.deepEqual(await tagOf('a'), ['LOWERED 0']);
        await client.query(forget);
        await client.query('PREPARE a AS SELECT 1');
        assert.deepEqual(await tagOf('a'), ['SELECT 1']);
        await client.query('DEALLOCATE a');
      }
    });

    it('are given up to a text too long to be looked into', async () => {
      client.send(parse(tagged), sync);
      await client.until('Z');
      assert.deepEqual(await tagOf(''), ['LOWERED 0']);
      client.send(parse(`SELECT 1 /*${'x'.repeat(1_100_000)}*/`), sync);
      await client.until('Z');
      assert.deepEqual(await tagOf(''), ['SELECT 1']);
    });
  });

  it('leave a copy alone that is under way', async () => {
    client.send(query('COPY kept FROM STDIN'));
    await client.until('G');
    client.send(copyData('1\n'), sync, flush, copyData('2\n'), copyDone);
    assert.equal(typesOf(await client.until('Z')), 'CZ');
    assert.deepEqual(valuesOf(await client.query('SELECT tumble(count(*)) FROM kept')), ['2']);
  });

  it('claim nothing in an encoding whose bytes look like ASCII', async () => {
    await client.query("SET client_encoding = 'SJIS'");
    const before = rewriter.inputs.length;
    assert.equal(errorOf(await client.query('SELECT tumble(1)'))['C'], '42883');
    assert.equal(rewriter.inputs.length, before);
  });

  it('work in single-byte and EUC encodings', async () => {
    for (const [encoding, letter] of [
      ['LATIN1', Buffer.from([0xe9])],
      ['EUC_JP', Buffer.from([0xa4, 0xa2])],
    ] as const) {
      await client.query(`SET client_encoding = '${encoding}'`);
      const text = Buffer.concat([
        Buffer.from("SELECT tumble(1), '"),
        letter,
        Buffer.from("', nowhere\0"),
      ]);
      client.send(Buffer.from([0x51, 0, 0, 0, 4 + text.length]), text);
      assert.equal(errorOf(await client.until('Z'))['P'], '24', encoding);
    }
  });

  it('pass text that is not valid in its encoding', async () => {
    const text = Buffer.from([...Buffer.from("SELECT tumble(1), '"), 0xff, 0x27, 0]);
    client.send(Buffer.from([0x51, 0, 0, 0, 4 + text.length]), text);
    assert.equal(errorOf(await client.until('Z'))['C'], '22021');
  });
});

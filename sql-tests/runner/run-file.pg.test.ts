import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { testPostgres } from '../../src/testing/test-postgres.ts';
import { parseTestFile } from './format/test-file.ts';
import { type FileResult, runFile, type Servers } from './run-file.ts';

/** What stands in for the endpoint: a relay that changes what the server says. */
function startRelay(servers: Servers, change: (bytes: Buffer) => Buffer): Promise<Server> {
  const relay = createServer((client) => {
    const upstream = connect(servers.postgres.port, servers.postgres.host);
    client.pipe(upstream);
    upstream.on('data', (bytes) => client.write(change(bytes)));
    upstream.on('close', () => client.end());
    client.on('close', () => upstream.end());
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
  });
  return new Promise((resolve) => {
    relay.listen(0, '127.0.0.1', () => resolve(relay));
  });
}

function replaceText(from: string, to: string): (bytes: Buffer) => Buffer {
  assert.equal(from.length, to.length);
  return (bytes) => Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1');
}

describe('the runner of sql-tests', () => {
  let servers: Servers;

  before(async function () {
    this.timeout(120_000);
    const { host, port, user } = await testPostgres();
    // With no endpoint in between, the product is not part of these tests.
    servers = { postgres: { host, port, user }, endpoint: { host, port }, version: 15 };
  });

  async function run(
    records: string,
    options: { name?: string; on?: Servers; isUpdating?: boolean } = {},
  ): Promise<FileResult> {
    const { name = 'errors/records', on = servers, isUpdating = false } = options;
    const header = `# name: ${name}\n# about: a test of the runner\n# needs: postgres\n`;
    const text = `${header}\n${records}\n`;
    const file = parseTestFile({ path: `sql-tests/${name}.slt`, name, text });
    return runFile(file, on, { isUpdating });
  }

  async function expectFailure(records: string, pattern: RegExp): Promise<void> {
    const { failures } = await run(records);
    assert.match(failures[0]?.message ?? 'nothing failed', pattern);
  }

  it('passes a file whose expectations hold', async () => {
    const { failures } = await run(
      "query n:int4 t:text\nSELECT 1 AS n, ''::text AS t;\n----\n1\t(empty)",
    );
    assert.deepEqual(failures, []);
  });

  it('fails a wrong value, type, name and row count, with file and line', async () => {
    await expectFailure(
      'query n:int4\nSELECT 1 AS n;\n----\n2',
      /^sql-tests\/errors\/records\.slt:5: /,
    );
    await expectFailure(
      'query n:int8\nSELECT 1 AS n;\n----\n1',
      /expected query n:int8\n.* n:int4/,
    );
    await expectFailure('query m:int4\nSELECT 1 AS n;\n----\n1', /expected query m:int4/);
    await expectFailure('query n:int4\nSELECT 1 AS n;\n----\n1\n1', /expected 1\n.*nothing more/);
    await expectFailure('query n:int4\nSELECT 1 AS n;\n----', /expected nothing more\n.*got 1/);
    await expectFailure('query n:int4\nSELECT 1 AS n;', /no expectation/);
    await expectFailure('statement count 2\nSELECT 1;', /the tag is SELECT 1/);
  });

  it('fails an error that was not expected, and a success that was not', async () => {
    await expectFailure('statement ok\nSELECT 1/0;', /unexpected error 22012\n.*division by zero/);
    await expectFailure('statement error 22012\nSELECT 1;', /the statement succeeded/);
    await expectFailure('statement error 22003\nSELECT 1/0;', /expected error 22003, got 22012/);
  });

  it('refuses an error without its SQLSTATE', async () => {
    await expectFailure('statement error\nSELECT 1/0;', /must name the SQLSTATE/);
  });

  it('compares the texts of an error exactly unless marked', async () => {
    const failing = 'statement error 42703\nSELECT nil;\n----\n';
    assert.deepEqual(
      (await run(`${failing}MESSAGE: column "nil" does not exist\nPOSITION: 8`)).failures,
      [],
    );
    assert.deepEqual((await run(`${failing}MESSAGE~: does not\nPOSITION: 8`)).failures, []);
    await expectFailure(`${failing}MESSAGE~: does too\nPOSITION: 8`, /expected MESSAGE~: does too/);
    await expectFailure(`${failing}MESSAGE: does not\nPOSITION: 8`, /expected MESSAGE: does not/);
    await expectFailure(`${failing}MESSAGE~: does not`, /more than is written: POSITION: 8/);
    await expectFailure(`${failing}MESSAGE~: does not\nPOSITION: 8\nHINT: x`, /got no HINT/);
  });

  it('compares a query with SQL written by hand: names, types and rows', async () => {
    const query = 'query n:int4\nSELECT 1 AS n;\n----\n1\n\n$ by-hand\n';
    assert.deepEqual((await run(`${query}SELECT 3 - 2 AS n;`)).failures, []);
    await expectFailure(`${query}SELECT 2 AS n;`, /by hand 2\n.*query {3}1/);
    await expectFailure(`${query}SELECT 1 AS m;`, /by hand m:int4/);
    await expectFailure(`${query}SELECT 1::int8 AS n;`, /by hand n:int8/);
  });

  it('knows no other verbs', async () => {
    await expectFailure('statment ok\nSELECT 1;', /"statment" is neither a record nor an action/);
    await expectFailure('$ sleep 5', /"\$ sleep" is neither/);
  });

  it('fails when the server closes the connection', async () => {
    await expectFailure(
      'statement ok\nSELECT pg_terminate_backend(pg_backend_pid());',
      /unexpected error 57P01/,
    );
  });

  it('writes expectations when updating, and what it writes passes', async () => {
    const records = [
      'query\nSELECT 1 AS n, pg_backend_pid() AS pid;\n----\n2\t<any>',
      'statement error\nSELECT 1/0;\n----',
      '$ transcript\nSELECT 2 AS n;',
    ].join('\n\n');
    const { updated = '' } = await run(records, { isUpdating: true });
    assert.match(updated, /query n:int4 pid:int4\n.*\n----\n1\t\d+\n/);
    assert.match(updated, /statement error 22012\n.*\n----\nMESSAGE: division by zero\n/);
    const again = await run(updated.slice(updated.indexOf('\n\n') + 2).replace(/\t\d+/, '\t<any>'));
    assert.deepEqual(again.failures, []);
  });

  it('skips a file that needs a newer server, and says so', async () => {
    const text = '# name: x/y\n# about: a\n# needs: postgres >= 99\n';
    const file = parseTestFile({ path: 'sql-tests/x/y.slt', name: 'x/y', text: `${text}\n` });
    const result = await runFile(file, servers, { isUpdating: false });
    assert.equal(result.skipped, 'needs Postgres 99, has 15');
  });

  describe('on files of parity/', () => {
    const differences: readonly (readonly [what: string, from: string, to: string, sql: string])[] =
      [
        ['a value', 'straight', 'crooked!', "SELECT 'straight';"],
        ['a column name', 'straight', 'crooked!', 'SELECT 1 AS straight;'],
        ['a command tag', 'SELECT 1', 'SELECT 7', 'SELECT 1;'],
        ['the routine of an error', 'int4div', 'int8div', 'SELECT 1/0;'],
        ['a notice', 'straight', 'crooked!', "DO $$ BEGIN RAISE NOTICE 'straight'; END $$;"],
        ['a parameter status', 'ISO, MDY', 'ISO, DMY', 'SELECT 1;'],
      ];

    for (const [what, from, to, sql] of differences) {
      it(`sees when ${what} is not the same through the endpoint`, async () => {
        const relay = await startRelay(servers, replaceText(from, to));
        try {
          const { port } = relay.address() as AddressInfo;
          const on = { ...servers, endpoint: { host: '127.0.0.1', port } };
          const record = `$ transcript\n${sql}`;
          // Updated, so that the expectations are right whatever Postgres says.
          const { failures } = await run(record, { name: 'parity/x', on, isUpdating: true });
          const said = failures[0]?.message ?? 'nothing failed';
          assert.match(said, /from Postgres[\s\S]*from HeliosDB/);
        } finally {
          relay.close();
        }
      });
    }

    it('sees no difference where only numbers of tables and processes differ', async () => {
      const records =
        "statement ok\nCREATE TYPE mood AS ENUM ('well');\nCREATE TABLE t (m mood);\n" +
        '\n$ transcript\nSELECT m FROM t;';
      const { failures } = await run(records, { name: 'parity/x', isUpdating: true });
      assert.deepEqual(failures, []);
    });
  });
});

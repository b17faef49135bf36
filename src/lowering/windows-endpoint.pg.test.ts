import assert from 'node:assert/strict';
import { withClient } from '../postgres/client.ts';
import { WireClient } from '../proxy/testing/wire-client.ts';
import { definition } from '../testing/oracle/definition.ts';
import { casesOfRun, Random, seedOfRun } from '../testing/oracle/random.ts';
import { randomQuery } from '../testing/oracle/random-query.ts';
import { randomTable } from '../testing/oracle/random-table.ts';
import { runPlain } from '../testing/oracle/rewriting-client.ts';
import { runCases } from '../testing/oracle/run-cases.ts';
import { startEndpoint, type TestEndpoint } from '../testing/test-endpoint.ts';
import { type TestPostgres, testPostgres } from '../testing/test-postgres.ts';

describe('windowed queries through the endpoint', function () {
  this.timeout(300_000);
  let postgres: TestPostgres;
  let endpoint: TestEndpoint;
  let database: string;
  let url: string;

  before(async () => {
    postgres = await testPostgres();
    endpoint = await startEndpoint({ upstream: postgres.url('postgres') });
  });
  beforeEach(async () => {
    database = await postgres.createDatabase();
    url = `postgres://${postgres.user}@${endpoint.host}:${endpoint.port}/${database}`;
  });
  after(() => endpoint.stop());

  it('give what hand-written SQL gives on the same connection', async () => {
    const run = { seed: seedOfRun(), cases: casesOfRun(12), runOurs: () => runPlain };
    const differences = await withClient(url, (client) => runCases(client, run));
    assert.equal(differences.length, 0, `\n${differences.join('\n\n')}`);
  });

  it('are copied out as hand-written SQL is', async () => {
    const seed = seedOfRun();
    const random = new Random(seed);
    const { host, port } = endpoint;
    const client = await WireClient.connect({ host, port }, { user: postgres.user, database });
    await client.query(definition);
    for (const statement of randomTable(random, 'facts', 60).statements)
      await client.query(statement);
    const copied = async (text: string) => {
      const messages = await client.query(`COPY (${text}) TO STDOUT`);
      const errors = messages.filter(({ type }) => type === 'E').map(({ fields }) => fields['M']);
      assert.deepEqual(errors, [], `HELIOSDB_SEED=${seed} ${text}`);
      const lines = messages.filter(({ type }) => type === 'd').map(({ body }) => body.toString());
      return lines.sort();
    };
    for (let number = 0; number < 30; number += 1) {
      const { ours, oracle } = randomQuery(random, 'facts', { canBind: false });
      const [got, wanted] = [await copied(ours), await copied(oracle)];
      assert.deepEqual(got, wanted, `HELIOSDB_SEED=${seed} ${ours}`);
    }
    client.close();
  });
});

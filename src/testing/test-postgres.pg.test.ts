import assert from 'node:assert/strict';
import { withClient } from '../postgres/client.ts';
import { testPostgres } from './test-postgres.ts';

describe('the Postgres of the tests', () => {
  it('gives every caller an empty database of its own', async () => {
    const postgres = await testPostgres();
    assert.equal(await testPostgres(), postgres);
    const databases = [await postgres.createDatabase(), await postgres.createDatabase()];
    assert.notEqual(databases[0], databases[1]);
    for (const database of databases) {
      await withClient(postgres.url(database), async (client) => {
        await client.query('CREATE TABLE t (id int)');
        const { rows } = await client.query('SELECT current_database() AS name');
        assert.deepEqual(rows, [{ name: database }]);
      });
    }
  });

  it('can be captured from', async () => {
    const postgres = await testPostgres();
    await withClient(postgres.url('postgres'), async (client) => {
      const { rows } = await client.query('SHOW wal_level');
      assert.deepEqual(rows, [{ wal_level: 'logical' }]);
    });
  });
});

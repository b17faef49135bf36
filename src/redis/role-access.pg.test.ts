import assert from 'node:assert/strict';
import type { TableVersion } from '../contracts/change.ts';
import { Connection } from '../postgres/connection.ts';
import { testPostgres } from '../testing/test-postgres.ts';
import { RoleAccess } from './role-access.ts';

describe('what a role may see over Redis', () => {
  let access: RoleAccess;
  let administrator: Connection;
  let versions: readonly TableVersion[];

  before(async () => {
    const { host, port, user, createDatabase } = await testPostgres();
    const database = await createDatabase();
    const target = { host, port, user, database, password: undefined, authority: undefined };
    const plain = { ...target, sslMode: 'disable' } as const;
    administrator = await Connection.open(plain);
    access = new RoleAccess(plain);
    await administrator.query(`DROP ROLE IF EXISTS access_reader; CREATE ROLE access_reader LOGIN;
      CREATE TABLE shown (id int PRIMARY KEY); GRANT SELECT ON shown TO public`);
    const [row] = await administrator.query("SELECT 'shown'::regclass::oid::int AS oid");
    const column = { name: 'id', typeOid: 23, typeModifier: -1, isKey: true } as const;
    versions = [
      {
        id: 1,
        oid: Number(row?.['oid']),
        schema: 'public',
        name: 'shown',
        replicaIdentity: 'default',
        columns: [{ ...column, valueKind: 'number' }],
      },
    ];
  });

  after(async () => {
    await access.close();
    await administrator.query('DROP ROLE access_reader');
    await administrator.close();
  });

  const kind = async (): Promise<string | undefined> =>
    (await access.of('access_reader').rightsOn(versions)).get(1)?.kind;

  it('is nothing of a database it may not connect to', async () => {
    assert.equal(await kind(), 'all');
    await administrator.query(
      `DO $$ BEGIN
         EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM public', current_database());
       END $$`,
    );
    assert.equal(await kind(), 'none');
  });

  it('is nothing of a role that is gone', async () => {
    const rights = await access.of('access_nobody').rightsOn(versions);
    assert.equal(rights.get(1)?.kind, 'none');
  });

  it('is asked for by many at once, one question after the other', async () => {
    const kinds = await Promise.all(Array.from({ length: 50 }, kind));
    assert.deepEqual(new Set(kinds), new Set(['none']));
  });
});

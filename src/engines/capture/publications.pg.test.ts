import assert from 'node:assert/strict';
import { CapturedDatabase } from '../../testing/crash/captured-database.ts';

const table = 'CREATE TABLE orders (id integer PRIMARY KEY)';

describe('publications of a capture', function () {
  this.timeout(60_000);
  let captured: CapturedDatabase;

  beforeEach(async () => {
    captured = await CapturedDatabase.open();
    await captured.sql(`${table}; INSERT INTO orders VALUES (1)`);
    assert.deepEqual(await captured.inserted('orders'), ['1']);
  });

  afterEach(() => captured.close());

  async function goesOnWhenTold(): Promise<void> {
    const { error } = await captured.fails('55000');
    assert.match(error ?? '', /heliosdb_inserts/);
    await captured.node.killAll();
    await captured.node.start();
    await captured.fails('55000');
    await captured.sql('INSERT INTO orders VALUES (3)');
    await captured.sql('CALL heliosdb.resume_capture(true)');
    await captured.until(({ state, epoch }) => state === 'streaming' && epoch === 2, 'no epoch');
    await captured.sql('INSERT INTO orders VALUES (4)');
    assert.deepEqual(await captured.inserted('orders'), ['1', '4']);
  }

  it('are missed when somebody drops one while it streams', async () => {
    await captured.sql('DROP PUBLICATION heliosdb_inserts');
    await captured.sql('INSERT INTO orders VALUES (2)');
    await goesOnWhenTold();
  });

  it('are missed when somebody drops one while nobody streams', async () => {
    await captured.node.killAll();
    await captured.sql('DROP PUBLICATION heliosdb_inserts');
    await captured.sql('INSERT INTO orders VALUES (2)');
    await captured.node.start();
    await goesOnWhenTold();
  });
});

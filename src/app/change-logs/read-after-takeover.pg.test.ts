import assert from 'node:assert/strict';
import { withClient } from '../../postgres/client.ts';
import { RespClient, type RespValue } from '../../redis/testing/resp-client.ts';
import { CapturedDatabase, patienceMs } from '../../testing/crash/captured-database.ts';
import type { NodeUnderTest } from '../../testing/crash/node-under-test.ts';
import { signal } from '../../testing/process-tree.ts';
import { eventually } from '../eventually.ts';
import { ownershipAgeMaxMs } from '../limits.ts';

/** One process each, so that who reads first after a takeover is one that has read before it. */
const flags = ['--roles', 'engine,proxy,redis', '--proxies', '1', '--redis-auth', 'off'];

describe('the first read after a takeover', function () {
  this.timeout(120_000);
  let captured: CapturedDatabase;
  let first: NodeUnderTest;
  let second: NodeUnderTest;
  /** When both were read last. */
  let readAt: number;

  beforeEach(async () => {
    captured = await CapturedDatabase.open({ flags });
    first = captured.node;
    await captured.sql(
      'CREATE TABLE orders (id integer PRIMARY KEY); INSERT INTO orders VALUES (1)',
    );
    await captured.settled(captured.logOf(first));
    second = captured.anotherNode(flags);
    await second.start();
    for (const node of [first, second]) {
      let length: RespValue = null;
      const hasRead = async (): Promise<boolean> => {
        length = await lengthOf(node);
        return length === 1;
      };
      assert.ok(await eventually(hasRead, patienceMs), `XLEN answers ${length}`);
      assert.equal(await lastId(node), 1);
    }
    readAt = performance.now();
  });

  afterEach(async () => {
    await second.remove();
    await captured.close();
  });

  it('is of the new log on the node that had the old one', async () => {
    signal(first.enginePid ?? 0, 'SIGSTOP');
    await captureMoves();
    assert.deepEqual(await Promise.all([lastId(first), lengthOf(first)]), await tail(second));
  });

  for (const how of ['killAll', 'stop'] as const) {
    const end = how === 'stop' ? 'stopped' : 'killed';
    it(`is of its own log on the node that is left when the other was ${end}`, async () => {
      await first[how]();
      await captureMoves();
      const [id, length] = await Promise.all([lastId(second), lengthOf(second)]);
      assert.equal(id, 4);
      assert.ok(Number(length) >= 3, `XLEN answers ${length}`);
    });
  }

  /** The second node captures, and has written what is inserted then; nobody reads for a while. */
  async function captureMoves(): Promise<void> {
    const [before] = await captured.sql('SELECT owner FROM heliosdb.capture_state');
    const isMoved = async (): Promise<boolean> => {
      const [now] = await captured.sql('SELECT owner FROM heliosdb.capture_state');
      return now?.['owner'] !== before?.['owner'];
    };
    assert.ok(await eventually(isMoved, patienceMs), second.output);
    await captured.sql('INSERT INTO orders VALUES (2), (3), (4)');
    await captured.settled(captured.logOf(second));
    const isOld = (): boolean => performance.now() - readAt > 2 * ownershipAgeMaxMs;
    assert.ok(await eventually(isOld, patienceMs));
  }

  async function tail(node: NodeUnderTest): Promise<readonly unknown[]> {
    const seen = [await lastId(node), await lengthOf(node)];
    assert.equal(seen[0], 4);
    return seen;
  }
});

async function lastId(node: NodeUnderTest): Promise<number | undefined> {
  return withClient(node.url, async (client) => {
    const { rows } = await client.query<{ after: { id: number } | null }>(
      'SHOW CDC EVENTS LIMIT 1',
    );
    return rows[0]?.after?.id;
  });
}

async function lengthOf(node: NodeUnderTest): Promise<RespValue> {
  const client = await RespClient.connect(node.redisPort);
  try {
    return await client.call('XLEN', 'heliosdb:cdc:orders');
  } finally {
    client.socket.destroy();
  }
}

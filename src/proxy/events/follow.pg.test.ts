import assert from 'node:assert/strict';
import { serialize } from 'pg-protocol';
import { PgError } from '../../core/errors/pg-error.ts';
import { columnOf, EventsUnderTest, processIdOf } from '../testing/events-under-test.ts';
import { MovingLog } from '../testing/moving-log.ts';
import {
  bind,
  describePortal,
  errorOf,
  execute,
  parse,
  query,
  statusOf,
  sync,
  terminate,
  typesOf,
  valuesOf,
  type WireClient,
} from '../testing/wire-client.ts';

const keyColumn = 8;

describe('SHOW CDC EVENTS FOLLOW', function () {
  this.timeout(30_000);
  let under: EventsUnderTest;
  let client: WireClient;

  beforeEach(async () => {
    under = await EventsUnderTest.start();
    client = await under.connect();
  });
  afterEach(async () => {
    client.close();
    await under.stop();
  });

  const keysUntil = async (follower: WireClient, id: string | number): Promise<string[]> => {
    const keys: string[] = [];
    while (keys.at(-1) !== `{"id": "${id}"}`) {
      keys.push(...columnOf(await follower.until('D'), keyColumn));
    }
    return keys;
  };
  const works = async (follower: WireClient): Promise<void> => {
    assert.deepEqual(valuesOf(await follower.query('SELECT 7')), ['7']);
  };
  /** A cancel request that is sent while its backend does not work is taken up by the proxy. */
  const cancelled = async (follower: WireClient): Promise<void> => {
    await under.cancel(follower);
    const rest = await follower.until('Z');
    const { C: code, M: message, W: context } = errorOf(rest);
    assert.equal(code, '57014');
    assert.equal(message, 'canceling statement due to user request');
    assert.equal(context, undefined);
    assert.equal(statusOf(rest), 'I');
  };

  it('shows the last ones and then each as it is captured, until it is cancelled', async () => {
    await under.capture(1, 2, 3);
    client.send(query('SHOW CDC EVENTS LIMIT 2 FOLLOW'));
    assert.equal(typesOf(await client.until('D')), 'TD');
    await keysUntil(client, 3);
    await under.capture(4);
    assert.deepEqual(await keysUntil(client, 4), ['{"id": "4"}']);
    await under.parked(processIdOf(client));
    await under.capture(5, 6);
    assert.deepEqual(await keysUntil(client, 6), ['{"id": "5"}', '{"id": "6"}']);
    await cancelled(client);
    await works(client);
  });

  it('misses nothing when another node takes over, which has as many tables', async () => {
    let moving: MovingLog | undefined;
    const moved = await EventsUnderTest.start((log) => {
      moving = new MovingLog(log);
      return moving;
    });
    const follower = await moved.connect();
    try {
      await moved.capture(1);
      follower.send(query('SHOW CDC EVENTS LIMIT 1 FOLLOW'));
      await keysUntil(follower, 1);
      await moved.parked(processIdOf(follower));
      const { reads } = moved.log;
      moving?.moveAfterTables();
      await moved.capture(2);
      while (moved.log.reads === reads) await moved.until('true');
      await moved.capture(3);
      assert.deepEqual(await keysUntil(follower, 3), ['{"id": "2"}', '{"id": "3"}']);
    } finally {
      follower.close();
      await moved.stop();
    }
  });

  const beginnings: readonly (readonly [string, readonly number[]])[] = [
    ['LIMIT 0 FOLLOW', [9]],
    ['LIMIT ALL FOLLOW', [1, 2, 3, 9]],
    ["SINCE LSN '0/3E8' FOLLOW", [1, 2, 3, 9]],
    ["WHERE (key->>'id')::int % 3 = 0 LIMIT 1 FOLLOW", [3, 9]],
    ['FROM orders LIMIT 1 FOLLOW', [3, 9]],
  ];
  for (const [clauses, expected] of beginnings) {
    it(`begins where ${clauses} says`, async () => {
      await under.capture(1, 2, 3);
      client.send(query(`SHOW CDC EVENTS ${clauses}`));
      assert.equal(typesOf(await client.until('T')), 'T');
      await under.parked(processIdOf(client));
      await under.capture(9);
      assert.deepEqual(
        await keysUntil(client, 9),
        expected.map((id) => `{"id": "${id}"}`),
      );
      await cancelled(client);
    });
  }

  it('shows that an epoch has begun before its first change', async () => {
    await under.capture(1);
    client.send(query('SHOW CDC EVENTS FROM orders FOLLOW'));
    await keysUntil(client, 1);
    under.log.beginEpoch(5_000n);
    assert.deepEqual(columnOf(await client.until('D'), 7), ['GAP']);
    await under.capture(2);
    assert.deepEqual(await keysUntil(client, 2), ['{"id": "2"}']);
    await cancelled(client);
  });

  it('has binary results in the extended protocol, and ends at its Sync', async () => {
    await under.capture(1);
    client.send(
      parse('SHOW CDC EVENTS FROM orders FOLLOW'),
      serialize.bind({ portal: 'p', binary: true }),
      describePortal('p'),
      execute('p'),
      sync,
    );
    const first = await client.until('D');
    assert.equal(typesOf(first), '12TD');
    await under.capture(2);
    for (const messages of [first, await client.until('D')]) {
      assert.deepEqual(columnOf(messages, 0), ['\0\0\0\u0001']);
    }
    await cancelled(client);
    await works(client);
  });

  it('cannot be part of a block, nor of what Executes have begun', async () => {
    await client.query('BEGIN; INSERT INTO kept VALUES (1)');
    const refused = await client.query('SHOW CDC EVENTS FOLLOW');
    assert.equal(errorOf(refused)['C'], '25001');
    assert.equal(statusOf(refused), 'E');
    assert.equal(errorOf(await client.query('SHOW CDC EVENTS FOLLOW'))['C'], '25P02');
    await client.query('ROLLBACK');
    client.send(
      parse('INSERT INTO kept VALUES (2)'),
      bind(),
      execute(),
      parse('SHOW CDC EVENTS FOLLOW'),
      bind({ portal: 'p' }),
      execute('p'),
      sync,
    );
    const pipelined = await client.until('Z');
    assert.equal(typesOf(pipelined), '12C12EZ');
    assert.equal(errorOf(pipelined)['C'], '25001');
    assert.deepEqual(valuesOf(await client.query('SELECT count(*) FROM kept')), ['0']);
  });

  it('fails at its Execute when its table is not there, whatever its portal is called', async () => {
    for (const portal of ['', 'p']) {
      client.send(
        parse('SHOW CDC EVENTS FROM gone FOLLOW'),
        bind({ portal }),
        execute(portal),
        sync,
      );
      const messages = await client.until('Z');
      assert.equal(typesOf(messages), '12EZ');
      assert.equal(errorOf(messages)['C'], '42P01');
      assert.equal(errorOf(messages)['P'], '22');
    }
    const simple = await client.query('SHOW CDC EVENTS FROM gone FOLLOW');
    assert.equal(errorOf(simple)['C'], '42P01');
    assert.equal(statusOf(simple), 'I');
  });

  it('answers what was sent meanwhile when it has ended', async () => {
    await under.capture(1);
    client.send(query('SHOW CDC EVENTS FOLLOW'));
    await client.until('D');
    client.send(query('SELECT 8'), query('SELECT 9'));
    await under.capture(2);
    await keysUntil(client, 2);
    await cancelled(client);
    assert.deepEqual(valuesOf(await client.until('Z')), ['8']);
    assert.deepEqual(valuesOf(await client.until('Z')), ['9']);
  });

  it('is ended by pg_terminate_backend, with the words of the server', async () => {
    await under.capture(1);
    client.send(query('SHOW CDC EVENTS FOLLOW'));
    await client.until('D');
    const pid = processIdOf(client);
    await under.parked(pid);
    await under.direct.query('SELECT pg_terminate_backend($1)', [pid]);
    const { C: code, W: context } = errorOf(await client.ended());
    assert.equal(code, '57P01');
    assert.equal(context, undefined);
  });

  const leaving: readonly (readonly [string, (client: WireClient) => void])[] = [
    ['goes without a word', (one) => one.socket.resetAndDestroy()],
    ['closes its half', (one) => one.socket.end()],
    ['says Terminate', (one) => one.socket.end(terminate)],
  ];
  for (const [how, leave] of leaving) {
    it(`leaves no backend behind when its client ${how}`, async () => {
      await under.capture(1);
      client.send(query('SHOW CDC EVENTS FOLLOW'));
      await client.until('D');
      const pid = processIdOf(client);
      await under.parked(pid);
      leave(client);
      await under.gone(pid);
      await under.witness.until(() => under.witness.closed.length === 1);
    });
  }

  it('ends at once when the proxy is drained', async () => {
    await under.capture(1);
    client.send(query('SHOW CDC EVENTS FOLLOW'));
    await client.until('D');
    await under.parked(processIdOf(client));
    await under.proxy.drain(25_000);
    assert.equal(errorOf(await client.ended())['C'], '57P01');
    assert.deepEqual(under.witness.closed, ['drained']);
  });

  it('waits for a client that does not read', async () => {
    const wide = 'x'.repeat(1024 * 1024);
    client.send(query('SHOW CDC EVENTS LIMIT 0 FOLLOW'));
    await client.until('T');
    client.socket.pause();
    for (let id = 0; id < 60; id += 1) under.log.commit([under.orders, 'INSERT', String(id), wide]);
    await under.capture('last');
    const pid = processIdOf(client);
    await under.until(
      "EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'ClientWrite')",
      pid,
    );
    assert.ok(under.witness.transferredBytes['server-to-client'] < 30 * 1024 * 1024);
    const other = await under.connect();
    await works(other);
    other.close();
    client.socket.resume();
    assert.equal((await keysUntil(client, 'last')).length, 61);
    await cancelled(client);
  });

  it('is told to several clients', async () => {
    const other = await under.connect();
    for (const follower of [client, other]) {
      follower.send(query('SHOW CDC EVENTS LIMIT 0 FOLLOW'));
      await follower.until('T');
    }
    await under.capture(1);
    for (const follower of [client, other]) assert.equal((await keysUntil(follower, 1)).length, 1);
    await cancelled(client);
    await under.capture(2);
    await keysUntil(other, 2);
    other.close();
  });

  it('obeys a REVOKE', async () => {
    await under.direct.query('DROP ROLE IF EXISTS follow_reader; CREATE ROLE follow_reader LOGIN');
    const reader = await under.connect({ user: 'follow_reader' });
    reader.send(query('SHOW CDC EVENTS FROM orders FOLLOW'));
    await reader.until('T');
    await under.capture(1);
    await keysUntil(reader, 1);
    await under.direct.query('REVOKE ALL ON orders FROM PUBLIC');
    await under.capture(2);
    const rest = await reader.until('Z');
    assert.equal(errorOf(rest)['C'], '42501');
    assert.equal(statusOf(rest), 'I');
    reader.close();
    await under.gone(processIdOf(reader));
    await under.direct.query('DROP ROLE follow_reader');
  });

  it('shows changes of a table that was made meanwhile', async () => {
    client.send(query('SHOW CDC EVENTS FOLLOW'));
    await client.until('T');
    const late = under.log.table('late');
    under.log.commit([late, 'INSERT', 'a', 'b']);
    await under.capture(1);
    assert.deepEqual(await keysUntil(client, 1), ['{"id": "a"}', '{"id": "1"}']);
    await cancelled(client);
  });

  it('is cancelled while the log is read', async () => {
    client.send(query('SHOW CDC EVENTS LIMIT 0 FOLLOW'));
    await client.until('T');
    let open: () => void = () => undefined;
    under.log.gate = new Promise((resolve) => {
      open = resolve;
    });
    const { reads } = under.log;
    await under.capture(1);
    while (under.log.reads === reads) await under.direct.query('SELECT');
    await under.cancel(client);
    open();
    const rest = await client.until('Z');
    assert.equal(errorOf(rest)['C'], '57014');
    assert.equal(statusOf(rest), 'I');
    await works(client);
  });

  it('ends with the error of the log', async () => {
    client.send(query('SHOW CDC EVENTS LIMIT 0 FOLLOW'));
    await client.until('T');
    under.log.failure = new PgError({ code: '08006', message: 'the node is gone' });
    await under.capture(1);
    const rest = await client.until('Z');
    assert.equal(errorOf(rest)['C'], '08006');
    assert.equal(errorOf(rest)['M'], 'the node is gone');
  });

  it('obeys statement_timeout, longer and shorter than it is parked', async () => {
    for (const timeout of [200, 1_200]) {
      await client.query(`SET statement_timeout = ${timeout}`);
      const messages = await client.query('SHOW CDC EVENTS LIMIT 0 FOLLOW');
      assert.equal(typesOf(messages), 'TEZ');
      assert.equal(errorOf(messages)['C'], '57014');
      assert.equal(errorOf(messages)['M'], 'canceling statement due to statement timeout');
    }
  });
});

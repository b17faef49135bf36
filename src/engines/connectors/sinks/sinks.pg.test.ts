import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { eventually } from '../../../app/eventually.ts';
import { freePort } from '../../../app/free-port.ts';
import { requireCommand, requireService } from '../../../testing/require-service.ts';
import { ConnectedDatabase } from '../testing/connected-database.ts';
import { kafkaJars, TestKafka } from '../testing/test-kafka.ts';

const patienceMs = 60_000;

describe('sinks', function () {
  this.timeout(180_000);
  let database: ConnectedDatabase;

  before(async () => {
    database = await ConnectedDatabase.open();
  });

  afterEach(() => database.dropConnectors());

  after(() => database.close());

  describe('redis', () => {
    let server: ChildProcess;
    let client: Redis;
    let port: number;

    async function startServer(): Promise<void> {
      server = spawn('redis-server', ['--port', String(port), '--save', '', '--dir', '/'], {
        stdio: 'ignore',
      });
      client = new Redis(port, '127.0.0.1', { retryStrategy: () => 50 });
      client.on('error', () => undefined);
      await client.ping();
    }

    before(async function () {
      requireCommand(this, 'redis-server');
      port = await freePort('127.0.0.1');
      await startServer();
    });

    after(() => {
      client?.disconnect();
      server?.kill('SIGKILL');
    });

    it('has the entries of the built-in endpoint, and each once', async () => {
      const options = { url: `redis://127.0.0.1:${port}` };
      await database.create('streams', { type: 'redis', options });
      await database.insert(1, 3);
      await database.client.query('UPDATE orders SET note = NULL WHERE id = 2');
      const length = async (): Promise<number> => client.xlen('heliosdb:cdc:orders');
      assert.ok(await eventually(async () => (await length()) === 4, patienceMs));
      const { rows } = await database.client.query<{ log_start: string }>(
        'SELECT log_start FROM heliosdb.capture_status',
      );
      const lsn = rows[0]!.log_start;
      await database.client.query(`CALL heliosdb.replay_cdc_connector('streams', '${lsn}')`);
      await database.insert(4);
      assert.ok(await eventually(async () => (await length()) === 5, patienceMs));
      const entries = await client.xrange('heliosdb:cdc:orders', '-', '+');
      const [, fields] = entries[3]!;
      const entry = Object.fromEntries(
        fields.flatMap((_, i) => (i % 2 ? [] : [fields.slice(i, i + 2)])),
      );
      assert.equal(entry['operation'], 'UPDATE');
      assert.equal(entry['key'], '{"id":2}');
      assert.equal(entry['after'], '{"id":2,"note":null}');
    });

    it('gets what was committed while it was away', async () => {
      const options = { url: `redis://127.0.0.1:${port}`, stream: 'away:{schema}.{table}' };
      await database.create('away', { type: 'redis', options });
      await database.insert(11);
      await eventually(async () => (await client.xlen('away:public.orders')) === 1, patienceMs);
      client.disconnect();
      server.kill('SIGKILL');
      await once(server, 'exit');
      await database.insert(12, 40);
      const { error_code: code, hint } = await database.until(
        'away',
        ({ state }) => state === 'failing',
      );
      assert.deepEqual([code, typeof hint], ['08001', 'string']);
      await startServer();
      // What the killed server had is gone with it: everything behind is there.
      await database.until('away', ({ state }) => state === 'running');
      assert.ok(
        await eventually(async () => (await client.xlen('away:public.orders')) >= 29, patienceMs),
      );
    });
  });

  describe('http', () => {
    let server: Server;
    let url: string;
    let status = 200;
    const requests: { body: string; signature: string | undefined }[] = [];

    before(async () => {
      server = createServer((request, response) => {
        const parts: Buffer[] = [];
        request.on('data', (part: Buffer) => parts.push(part));
        request.on('end', () => {
          const body = Buffer.concat(parts).toString('utf8');
          const signature = request.headers['heliosdb-signature'];
          if (status === 200) requests.push({ body, signature: signature as string | undefined });
          response.writeHead(status, status === 200 ? {} : { 'retry-after': '1' }).end();
        });
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/changes`;
    });

    after(() => server.close());

    it('gets signed batches, in order, and again after it refused them', async () => {
      const options = { url, secret: 'of both' };
      await database.create('posted', { type: 'http', options });
      await database.insert(1, 5);
      const ids = (): number[] =>
        requests.flatMap(({ body }) =>
          (JSON.parse(body) as { events: { after: { id: number } }[] }).events.map(
            ({ after }) => after.id,
          ),
        );
      assert.ok(await eventually(() => ids().length >= 5, patienceMs));
      status = 503;
      await database.insert(6, 8);
      await database.until('posted', ({ error_code }) => error_code === '58000');
      status = 200;
      assert.ok(await eventually(() => ids().includes(8), patienceMs));
      assert.deepEqual([...new Set(ids())], [1, 2, 3, 4, 5, 6, 7, 8]);
      for (const { body, signature } of requests) {
        const [, seconds, digest] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature ?? '') ?? [];
        const expected = createHmac('sha256', 'of both').update(`${seconds}.${body}`).digest('hex');
        assert.equal(digest, expected);
      }
    });
  });

  describe('kafka', function () {
    this.timeout(300_000);
    let kafka: TestKafka;

    before(async function () {
      const jars = kafkaJars();
      requireService(this, 'Kafka (Java and Maven)', jars !== undefined);
      kafka = await TestKafka.start(jars!);
    });

    after(() => kafka?.remove());

    /** Versions of each row by its key, in the order of the topic; until all have so many. */
    async function consume(topic: string, distinct: number): Promise<Map<string, number[]>> {
      const client = new Kafka({ brokers: [kafka.brokers], logLevel: logLevel.NOTHING });
      const consumer = client.consumer({ groupId: `test-${Math.random()}` });
      const found: Map<string, number[]> = new Map();
      const seen: Set<string> = new Set();
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        eachMessage: async ({ message }) => {
          const key = String(message.key);
          const { after } = JSON.parse(String(message.value)) as { after: { note: string } };
          const version = Number(after.note.split(' ').at(-1));
          found.set(key, [...(found.get(key) ?? []), version]);
          seen.add(`${key} ${version}`);
        },
      });
      const isThere = await eventually(() => seen.size >= distinct, patienceMs);
      await consumer.disconnect();
      assert.ok(isThere, `there are ${seen.size} of ${distinct}`);
      return found;
    }

    it('has each row in order, whatever is killed', async () => {
      const options = { brokers: kafka.brokers, topic: 'changes.{table}' };
      await database.create('topics', { type: 'kafka', options });
      await database.insert(1, 5);
      let version = 5;
      const change = async (count: number): Promise<void> => {
        for (let n = 0; n < count; n += 1) {
          version += 1;
          await database.client.query(
            `UPDATE orders SET note = 'note ${version}' WHERE id = ${(version % 5) + 1}`,
          );
        }
      };
      await change(40);
      await database.until(
        'topics',
        ({ state, delivered }) => state === 'running' && Number(delivered) > 0,
      );
      await kafka.kill();
      await change(40);
      await database.until('topics', ({ state }) => state === 'failing');
      await kafka.start();
      const { node } = database.captured;
      await node.killAll();
      await node.start('connector.delivered:1');
      await change(40);
      await eventually(() => node.failpointsHit().includes('connector.delivered'), patienceMs);
      await node.killAll();
      await node.start();
      const found = await consume('changes.orders', version);
      assert.deepEqual(
        [...found.keys()].sort(),
        [1, 2, 3, 4, 5].map((id) => `{"id":${id}}`),
      );
      for (const [key, versions] of found) {
        const id = Number(/\d+/.exec(key));
        // The row as it was inserted, and every change of it.
        const all = Array.from({ length: version - 5 }, (_, index) => index + 6);
        const expected = [id, ...all.filter((each) => (each % 5) + 1 === id)];
        assert.deepEqual([...new Set(versions)], expected, key);
      }
    });
  });
});

import assert from 'node:assert/strict';
import { serialize } from 'pg-protocol';
import type { LogReader } from '../../contracts/log-reader.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import type { MemoryLog } from '../../testing/memory-log.ts';
import { columnOf, EventsUnderTest, processIdOf } from '../testing/events-under-test.ts';
import { MovingLog } from '../testing/moving-log.ts';
import {
  bind,
  describePortal,
  describeStatement,
  errorOf,
  execute,
  flush,
  parse,
  query,
  statusOf,
  sync,
  typesOf,
  valuesOf,
  type WireClient,
} from '../testing/wire-client.ts';

const keyColumn = 8;

describe('SHOW CDC EVENTS in a session', function () {
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

  const leftBehind = async (): Promise<string[]> =>
    valuesOf(
      await client.query(
        "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'heliosdb%' UNION ALL " +
          "SELECT count(*) FROM pg_cursors WHERE name LIKE 'heliosdb%'",
      ),
    );

  describe('in pipelines', () => {
    it('shows its rows at each Execute before one Sync', async () => {
      await under.capture(1, 2);
      const where = (id: number): string => `SHOW CDC EVENTS WHERE key->>'id' = '${id}'`;
      client.send(
        parse(where(1), 'a'),
        bind({ statement: 'a', portal: 'a' }),
        parse(where(2)),
        bind(),
        describePortal(),
        execute(),
        execute('a', 1),
        parse('INSERT INTO kept VALUES (1)'),
        bind(),
        execute(),
        execute('a'),
        sync,
      );
      const messages = await client.until('Z');
      assert.equal(typesOf(messages), '1212TDCDs12CCZ');
      assert.deepEqual(columnOf(messages, keyColumn), ['{"id": "2"}', '{"id": "1"}']);
      assert.deepEqual(valuesOf(await client.query('SELECT count(*) FROM kept')), ['1']);
      assert.deepEqual(await leftBehind(), ['0', '0']);
    });

    it('is skipped behind an error, and takes back what was before its own', async () => {
      client.send(
        parse('SELECT 1 / 0'),
        bind(),
        execute(),
        parse('SHOW CDC EVENTS'),
        bind(),
        execute(),
        sync,
        parse('INSERT INTO kept VALUES (1)'),
        bind(),
        execute(),
        parse('SHOW CDC EVENTS FROM gone'),
        bind(),
        execute(),
        parse('INSERT INTO kept VALUES (2)'),
        bind(),
        execute(),
        sync,
      );
      assert.equal(typesOf(await client.until('Z')), '1EZ');
      const second = await client.until('Z');
      assert.equal(typesOf(second), '12C12EZ');
      assert.equal(errorOf(second)['C'], '42P01');
      assert.deepEqual(valuesOf(await client.query('SELECT count(*) FROM kept')), ['0']);
    });

    it('answers a Flush', async () => {
      await under.capture(1);
      client.send(parse('SHOW CDC EVENTS'), describeStatement(), bind(), execute(), flush);
      assert.equal(typesOf(await client.until('C')), '1tT2DC');
      client.send(sync);
      assert.equal(statusOf(await client.until('Z')), 'I');
    });

    it('follows the name of a statement that is parsed, closed and parsed again', async () => {
      await under.capture(1);
      const run = [bind({ statement: 's' }), execute(), sync];
      client.send(parse('SHOW CDC EVENTS', 's'), ...run);
      assert.equal(typesOf(await client.until('Z')), '12DCZ');
      client.send(serialize.close({ type: 'S', name: 's' }), parse('SELECT 5', 's'), ...run);
      assert.deepEqual(valuesOf(await client.until('Z')), ['5']);
      await client.query('DEALLOCATE ALL');
      client.send(parse('SHOW CDC EVENTS', 's'), ...run);
      assert.equal(typesOf(await client.until('Z')), '12DCZ');
      await client.query('DISCARD ALL');
      client.send(...run);
      assert.equal(errorOf(await client.until('Z'))['C'], '26000');
      client.send(execute('no_such_portal'), sync);
      assert.equal(errorOf(await client.until('Z'))['C'], '34000');
    });
  });

  it('leaves one hidden statement behind at most, however often WHERE fails', async () => {
    await under.capture(1);
    for (let time = 0; time < 5; time += 1) {
      const failed = await client.query('SHOW CDC EVENTS WHERE 1 / (seq - seq) > 0');
      assert.equal(errorOf(failed)['C'], '22012');
      assert.equal(statusOf(failed), 'I');
    }
    assert.deepEqual(await leftBehind(), ['1', '0']);
    await client.query('SHOW CDC EVENTS');
    assert.deepEqual(await leftBehind(), ['0', '0']);
  });

  it('hands over nothing in a failed transaction', async () => {
    await client.query('BEGIN');
    await client.query('SELECT 1 / 0');
    const simple = await client.query('SHOW CDC EVENTS');
    assert.equal(errorOf(simple)['C'], '25P02');
    assert.equal(statusOf(simple), 'E');
    await client.query('ROLLBACK');
    assert.equal(under.log.reads, 0);
  });

  it('leaves no transaction open', async () => {
    await under.capture(1);
    assert.equal(statusOf(await client.query('SHOW CDC EVENTS')), 'I');
    assert.equal(typesOf(await client.query('VACUUM kept')), 'CZ');
    await client.query('SHOW CDC EVENTS; SELECT 1');
    assert.equal(typesOf(await client.query('VACUUM kept')), 'CZ');
  });

  it('shows warnings that its text raises, once', async () => {
    await client.query('SET standard_conforming_strings = off');
    const messages = await client.query("SHOW CDC EVENTS WHERE 'a\\\\b' = ''");
    assert.deepEqual(
      messages.filter(({ type }) => type === 'N').map(({ fields }) => fields['C']),
      ['22P06'],
    );
  });

  it('is cancelled while WHERE is evaluated', async () => {
    await under.capture(1);
    client.send(query('SHOW CDC EVENTS WHERE pg_sleep(25) IS NULL'));
    await under.until(
      "EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep')",
      processIdOf(client),
    );
    await under.cancel(client);
    const messages = await client.until('Z');
    assert.equal(errorOf(messages)['C'], '57014');
    assert.equal(statusOf(messages), 'I');
  });

  for (const begin of ['', 'BEGIN']) {
    it(`is cancelled while the log is read ${begin && 'in a block'}`, async () => {
      await client.query(begin);
      let open: () => void = () => undefined;
      under.log.gate = new Promise((resolve) => {
        open = resolve;
      });
      client.send(query('SHOW CDC EVENTS'));
      while (under.log.reads === 0) await under.direct.query('SELECT');
      await under.cancel(client);
      open();
      const messages = await client.until('Z');
      assert.equal(errorOf(messages)['C'], '57014');
      assert.equal(errorOf(messages)['M'], 'canceling statement due to user request');
      assert.equal(statusOf(messages), begin === '' ? 'I' : 'E');
      await client.query('ROLLBACK');
      assert.equal(typesOf(await client.query('SHOW CDC EVENTS')), 'TCZ');
    });
  }

  it('lets others work while it looks through a log of which nothing fits', async () => {
    const endless = await EventsUnderTest.start((log) => new Endless(log));
    const [looking, other] = [await endless.connect(), await endless.connect()];
    looking.send(query("SHOW CDC EVENTS SINCE LSN '0/3E8'"));
    assert.deepEqual(valuesOf(await other.query('SELECT 1')), ['1']);
    await endless.cancel(looking);
    assert.equal(errorOf(await looking.until('Z'))['C'], '57014');
    await looking.query('SET statement_timeout = 300');
    const late = await looking.query("SHOW CDC EVENTS SINCE LSN '0/3E8'");
    assert.equal(errorOf(late)['M'], 'canceling statement due to statement timeout');
    looking.send(query("SHOW CDC EVENTS SINCE LSN '0/3E8'"));
    looking.socket.resetAndDestroy();
    await endless.gone(processIdOf(looking));
    other.close();
    await endless.stop();
  });

  for (const text of ['SHOW CDC EVENTS LIMIT 3', 'SHOW CDC EVENTS']) {
    it(`never looks empty when another node takes over while it reads: ${text}`, async () => {
      let moving: MovingLog | undefined;
      const moved = await EventsUnderTest.start((log) => {
        moving = new MovingLog(log);
        return moving;
      });
      const reading = await moved.connect();
      try {
        await moved.capture(1, 2);
        moving?.moveAfterTables();
        const { C: code, M: message } = errorOf(await reading.query(text));
        assert.deepEqual([code, message], ['08006', 'change log is read from another node now']);
        assert.equal(valuesOf(await reading.query(text)).length, 2);
      } finally {
        reading.close();
        await moved.stop();
      }
    });
  }

  it('carries wide rows, and refuses more than it may hand over', async () => {
    const wide = 'x'.repeat(4 * 1024 * 1024);
    for (let id = 0; id < 20; id += 1) under.log.commit([under.orders, 'INSERT', String(id), wide]);
    const few = await client.query('SHOW CDC EVENTS LIMIT 3');
    assert.equal(typesOf(few), 'TDDDCZ');
    const many = await client.query('SHOW CDC EVENTS LIMIT ALL');
    assert.equal(errorOf(many)['C'], '54000');
    assert.equal(statusOf(many), 'I');
  });

  it('says so when its parameters are longer than what is kept', async () => {
    await under.capture(1);
    const values = ['x'.repeat(1024 * 1024)];
    for (const follow of ['', ' FOLLOW']) {
      client.send(
        parse(`SHOW CDC EVENTS WHERE table_name = $1${follow}`),
        bind({ values }),
        execute(),
        sync,
      );
      assert.equal(errorOf(await client.until('Z'))['C'], '54000');
    }
  });

  it('has a row where an epoch begins, for changes may be missing there', async () => {
    await under.capture(1, 2);
    under.log.beginEpoch(5_000n);
    under.log.beginEpoch(9_000n);
    const shown = async (clauses: string): Promise<string[]> => {
      const messages = await client.query(`SHOW CDC EVENTS ${clauses}`);
      const columns = [0, 7, 9, 10].map((column) => columnOf(messages, column));
      return columns[0]!.map((_, row) => columns.map((values) => values[row] ?? '-').join(' '));
    };
    const gaps = [
      '2 GAP {"lsn": "0/44C", "epoch": 1} {"lsn": "0/1388", "epoch": 2}',
      '3 GAP {"lsn": "0/1388", "epoch": 2} {"lsn": "0/2328", "epoch": 3}',
    ];
    const of1 = (await shown('')).slice(0, 2);
    assert.deepEqual(await shown(''), [...of1, ...gaps]);
    await under.capture(3);
    const [of3] = await shown('LIMIT 1');
    assert.match(of3!, /^3 INSERT /);
    assert.deepEqual(await shown('LIMIT 2'), [gaps[1], of3]);
    assert.deepEqual(await shown('FROM orders LIMIT ALL'), [...of1, ...gaps, of3]);
    assert.deepEqual(await shown("WHERE operation = 'GAP' LIMIT 1"), [gaps[1]]);
    assert.deepEqual(await shown("SINCE LSN '0/2328'"), [of3]);
  });

  describe('of a database that is not captured yet', () => {
    let fresh: EventsUnderTest;
    let first: WireClient;
    before(async () => {
      fresh = await EventsUnderTest.start((log) => new Beginning(log));
    });
    after(() => fresh.stop());
    beforeEach(async () => {
      await fresh.direct.query("UPDATE heliosdb.captured SET wish = 'undecided'");
      first = await fresh.connect();
    });
    afterEach(() => first.close());

    it('does not begin capture inside what Executes have begun', async () => {
      first.send(
        parse('INSERT INTO kept VALUES (1)'),
        bind(),
        execute(),
        parse('SHOW CDC EVENTS'),
        bind(),
        execute(),
        sync,
      );
      const messages = await first.until('Z');
      assert.equal(errorOf(messages)['C'], '55000');
      assert.deepEqual(valuesOf(await first.query('SELECT count(*) FROM kept')), ['0']);
    });

    it('begins it, and goes on with the portal it was asked by', async () => {
      first.send(
        parse('SHOW CDC EVENTS WHERE table_name = $1'),
        bind({ portal: 'p', values: ['orders'] }),
        execute('p'),
        sync,
      );
      assert.equal(typesOf(await first.until('Z')), '12CZ');
      const { rows } = await fresh.direct.query('SELECT wish FROM heliosdb.captured');
      assert.deepEqual(rows, [{ wish: 'on' }]);
    });
  });
});

/** A log that goes on for ever, and holds nothing. */
class Endless implements LogReader {
  readonly #log: MemoryLog;
  constructor(log: MemoryLog) {
    this.#log = log;
  }
  bounds = (): ReturnType<LogReader['bounds']> => this.#log.bounds();
  tables = (): ReturnType<LogReader['tables']> => this.#log.tables();
  count = async (): Promise<number> => 0;
  walSample: LogReader['walSample'] = (xmin) => this.#log.walSample(xmin);
  readBackward: LogReader['readBackward'] = (request) => this.#log.readBackward(request);
  changed = async (): Promise<void> => undefined;
  close = async (): Promise<void> => undefined;
  read: LogReader['read'] = async () => ({
    changes: [],
    through: { epoch: 1, lsn: 1_000n, seq: 0 },
    isAtEnd: false,
  });
}

/** A log that is not there until it was looked for often enough. */
class Beginning extends Endless {
  #looks = 0;
  constructor(log: MemoryLog) {
    super(log);
    const { bounds } = this;
    this.bounds = () => {
      this.#looks += 1;
      const isThere = this.#looks > 3;
      return isThere
        ? bounds()
        : Promise.reject(new PgError({ code: '55000', message: 'there is no log' }));
    };
  }
}

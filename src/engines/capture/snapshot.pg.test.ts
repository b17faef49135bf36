import assert from 'node:assert/strict';
import { eventually } from '../../app/eventually.ts';
import type { LocalLogReader } from '../../changelog/local-log-reader.ts';
import type { Change } from '../../contracts/change.ts';
import type { ReadForward } from '../../contracts/log-reader.ts';
import type { CaseLog } from '../../snapshot/testing/case-log.ts';
import { runSnapshotCases } from '../../snapshot/testing/run-cases.ts';
import { CapturedDatabase, patienceMs } from '../../testing/crash/captured-database.ts';
import { readToEnd } from '../../testing/read-to-end.ts';

const cases = Number(process.env['HELIOSDB_CASES'] ?? 25);
const seed = Number(process.env['HELIOSDB_SEED'] ?? Date.now() % 1_000_000);

describe('snapshots on the log that capture writes', function () {
  this.timeout(120_000 + cases * 5_000);
  let captured: CapturedDatabase;

  before(async () => {
    captured = await CapturedDatabase.open();
  });

  after(() => captured.close());

  it(`are complete with the changes behind them (seed ${seed})`, async () => {
    const log = new CapturedCaseLog(captured);
    const isConcurrent = true;
    const run = { url: captured.url, seed, cases, mayHang: false, isConcurrent, differencesMax: 1 };
    const { differences } = await runSnapshotCases({ ...run, log });
    assert.deepEqual(differences, []);
  });

  it('begin where an engine sampled that was killed', async () => {
    const reader = captured.logOf();
    const xmin = await captured.sql('SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin');
    const sampled = async (): Promise<bigint | undefined> => {
      const { sample } = await reader.walSample(BigInt(String(xmin[0]?.['xmin'])));
      return sample?.lsn;
    };
    assert.ok(await eventually(async () => (await sampled()) !== undefined, patienceMs));
    await captured.node.killAll();
    const before = await sampled();
    assert.ok(before);
    await captured.sql('CREATE TABLE made_meanwhile (id integer PRIMARY KEY)');
    await captured.node.start();
    await captured.changes();
    assert.equal(await sampled(), before);
    await reader.close();
  });
});

/** The log of the node; it is sampled by the engine, in its own time. */
class CapturedCaseLog implements CaseLog {
  readonly samples: LocalLogReader;
  readonly #captured: CapturedDatabase;
  #from: ReadForward['from'] = { kind: 'start' };

  constructor(captured: CapturedDatabase) {
    this.#captured = captured;
    this.samples = captured.logOf();
  }

  async read(): Promise<readonly Change[]> {
    await this.#captured.settled(this.samples);
    const { changes, next } = await readToEnd(this.samples, this.#from);
    this.#from = next;
    return changes;
  }

  async sample(): Promise<void> {}

  close(): Promise<void> {
    return this.samples.close();
  }
}

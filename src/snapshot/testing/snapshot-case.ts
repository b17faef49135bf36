import assert from 'node:assert/strict';
import type { Change } from '../../contracts/change.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import { openTextSession, type TextSession } from '../../postgres/text-session.ts';
import { Random } from '../../testing/oracle/random.ts';
import { placeKeys } from '../place-keys.ts';
import { readPoint } from '../read-point.ts';
import type { SnapshotMerge } from '../snapshot-merge.ts';
import { planSnapshot, readSnapshot, type SnapshotSource } from '../snapshot-reader.ts';
import { isRead, restoreSnapshotState, type SnapshotState } from '../snapshot-state.ts';
import type { CaseLog } from './case-log.ts';
import { CopiedTable } from './copied-table.ts';
import { type TableShape, tableShapes } from './table-shapes.ts';
import { type WriterPool, Writers } from './writers.ts';

export type CaseWorld = {
  readonly url: string;
  readonly session: TextSession;
  readonly log: CaseLog;
  readonly pool: WriterPool;
  /** How changes are judged; other rules than the right one show what a test would find. */
  readonly makeMerge: (state: SnapshotState) => Pick<SnapshotMerge, 'judge'>;
};

/** What came up, so that a run can be asked whether it tried what it is for. */
export type CaseCounts = Record<string, number>;

/** One table, written to while it is read chunk by chunk, with interruptions; then compared. */
export class SnapshotCase {
  readonly #world: CaseWorld;
  readonly #random: Random;
  readonly #table: string;
  readonly #shape: TableShape;
  readonly #counts: CaseCounts;
  readonly #source: SnapshotSource;
  readonly #changes: Change[] = [];
  /** Chunk and rows are taken over together; otherwise rows are out as soon as they are read. */
  readonly #isAtomic: boolean;
  /** How many of the changes are dealt with. */
  #done = 0;

  constructor(world: CaseWorld, seed: number, counts: CaseCounts) {
    this.#world = world;
    this.#random = new Random(seed);
    this.#table = `t${seed}`;
    this.#shape = this.#random.pick(tableShapes);
    // Without a key nobody can tell a row that comes twice from two rows.
    this.#isAtomic = this.#random.chance(0.7) || !this.#shape.inChunks;
    this.#counts = counts;
    this.#source = { connect: () => openTextSession(world.url), samples: world.log.samples };
  }

  get title(): string {
    return `${this.#shape.name}, ${this.#isAtomic ? 'atomic' : 'at least once'}`;
  }

  /** Answers what is wrong; nothing when the copy equals the table. */
  async run(): Promise<string | undefined> {
    const { session } = this.#world;
    const names = (sql: string): string => sql.replaceAll('%t', this.#table);
    for (const statement of this.#shape.create) await session.query(names(statement));
    try {
      return await this.#runOnTable();
    } catch (error) {
      return `${this.title}\n${error instanceof Error ? error.stack : String(error)}`;
    } finally {
      await session.query(names('DROP TABLE public.%t'));
    }
  }

  async #runOnTable(): Promise<string | undefined> {
    const { session, pool } = this.#world;
    const writers = new Writers(this.#random, this.#table, this.#shape, pool, session);
    try {
      await this.#sample();
      await writers.fill();
      await writers.steps(10);
      const state = await this.#read(writers);
      await writers.steps(10);
      await writers.finish();
      return await this.#compare(await this.#catchUp(state.state, state.copy, true), state.copy);
    } finally {
      await writers.finish();
      await session.query('ROLLBACK');
    }
  }

  /** Reads all chunks; what was stored is all that an interruption leaves. */
  async #read(writers: Writers): Promise<{ state: SnapshotState; copy: CopiedTable }> {
    const oid = await this.#world.session.query(`SELECT 'public.${this.#table}'::regclass::oid`);
    let state = await planSnapshot(this.#source, {
      tableOid: Number(oid[0]?.[0]),
      columns: 'all',
      where: null,
      mode: 'auto',
      chunkRows: this.#random.between(1, 12),
    });
    assert.equal(state.inChunks, this.#shape.inChunks, state.table.keyless ?? undefined);
    const copy = new CopiedTable(state, this.#isAtomic && this.#shape.inChunks);
    for (let attempt = 0; !isRead(state); attempt += 1) {
      state = restoreSnapshotState(JSON.parse(JSON.stringify(state)));
      const mayStop = attempt < 15;
      const stored = copy.clone();
      const next = await this.#readSome(state, copy, writers, mayStop).catch((error: unknown) => {
        // Rewritten again and again by others: nothing of the chunk is out, and it is tried again.
        if (error instanceof PgError && error.retryable && mayStop) return { state, isTorn: true };
        throw error;
      });
      if (this.#isAtomic && next.isTorn) copy.restore(stored);
      state = await this.#catchUp(next.state, copy, false);
      await writers.steps(3);
    }
    return { state, copy };
  }

  /** Until the end of a chunk, or somewhere before it. */
  async #readSome(
    from: SnapshotState,
    copy: CopiedTable,
    writers: Writers,
    mayStop: boolean,
  ): Promise<{ state: SnapshotState; isTorn: boolean }> {
    let state = from;
    for await (const event of readSnapshot(this.#source, from)) {
      if (event.kind === 'rows') {
        for (const row of event.rows) {
          if (this.#isAtomic) copy.add(row);
          else copy.put(copy.keyOf(row), row);
        }
      } else if (event.kind === 'read') {
        this.#count('chunks');
        return { state: event.state, isTorn: false };
      } else if (!this.#isAtomic) {
        state = event.state;
      }
      await writers.steps(4);
      await this.#sample();
      if (mayStop && this.#random.chance(0.15)) {
        this.#count('interruptions');
        return { state, isTorn: true };
      }
    }
    throw new TypeError('a snapshot ended within a chunk');
  }

  /** Applies what can be applied. */
  async #catchUp(from: SnapshotState, copy: CopiedTable, isEnd: boolean): Promise<SnapshotState> {
    if (isEnd || this.#random.chance(0.4)) await this.#readLog();
    let state = from;
    for (;;) {
      const changes = this.#changes.slice(this.#done);
      const start = state.start === null ? undefined : BigInt(state.start.lsn);
      if (start === undefined) return state;
      const merge = this.#world.makeMerge(state);
      const { verdicts, stop } = await merge.judge(this.#world.session, changes);
      for (const [index, verdict] of verdicts.entries()) {
        const change = changes[index] as Change;
        this.#count(verdict.kind);
        // Nothing before the position from which the log is applied may be needed.
        if (change.position.lsn < start) assert.equal(verdict.kind, 'skip');
        if (verdict.kind === 'truncate-part') {
          const places = await placeKeys(this.#world.session, state, copy.keys());
          copy.truncatePart(verdict, places, state);
        } else if (verdict.kind !== 'skip') copy.apply(change, verdict.kind);
      }
      this.#done += verdicts.length;
      if (stop === undefined) return state;
      this.#count(stop.kind);
      if (stop.kind !== 'reread') {
        assert.ok(!isEnd, `${stop.kind} at the end`);
        return state;
      }
      const point = await readPoint(this.#world.session, state, stop.key);
      if (stop.old !== undefined) copy.put(stop.old, undefined);
      copy.put(stop.key, point.row);
      state = point.state;
      this.#done += 1;
    }
  }

  async #readLog(): Promise<void> {
    const changes = await this.#world.log.read();
    this.#changes.push(...changes.filter(({ table }) => table?.name === this.#table));
  }

  async #sample(): Promise<void> {
    if (this.#changes.length === 0 || this.#random.chance(0.5)) {
      await this.#world.log.sample();
    }
  }

  async #compare(state: SnapshotState, copy: CopiedTable): Promise<string | undefined> {
    const columns = state.table.columns.map(({ name }) => `"${name}"`).join(', ');
    const rows = await this.#world.session.query(`SELECT ${columns} FROM public.${this.#table}`);
    const expected = rows.map((row) => JSON.stringify(row)).sort();
    const actual = copy.lines();
    if (JSON.stringify(expected) === JSON.stringify(actual)) return undefined;
    const missing = expected.filter((line) => !actual.includes(line));
    const extra = actual.filter((line) => !expected.includes(line));
    return [this.title, ...missing.map((l) => `- ${l}`), ...extra.map((l) => `+ ${l}`)]
      .map((line) => line.slice(0, 200))
      .join('\n');
  }

  #count(what: string): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + 1;
  }
}

import assert from 'node:assert/strict';
import type { PgError } from '../core/errors/pg-error.ts';
import { snapshotAttemptsMax, snapshotPointsMax } from '../core/limits.ts';
import type { TextRow, TextSession } from '../postgres/text-session.ts';
import { beginFitting } from './fitting-snapshot.ts';
import { readPoint } from './read-point.ts';
import { snapshotFailure } from './snapshot-failure.ts';
import { stateOf } from './testing/state-of.ts';

describe('a snapshot that gets nowhere', () => {
  it('gives up on a table that is rewritten again and again', async () => {
    const described = {
      ...{ schema: 'public', name: 't', kind: 'r', persistence: 'p', isPartition: false },
      ...{ columns: [], key: [], leaves: [{ oid: 1, kind: 'r', persistence: 'p', rows: 1 }] },
    };
    const texts: string[] = [];
    const answer = (text: string): readonly TextRow[] => {
      texts.push(text);
      if (text.includes('pg_current_snapshot')) return [['3:3:', '0/1']];
      if (text.includes('json_build_object')) return [[JSON.stringify(described)]];
      return text.includes('pg_relation_filenode') ? [['1']] : [];
    };
    const session = { query: async (text: string) => answer(text) } as unknown as TextSession;
    const state = stateOf({});
    const keyless = { ...state, table: { ...state.table, key: null } };
    const fitting = beginFitting(session, keyless, async () => undefined);
    await assert.rejects(fitting, { code: '40001', retryable: true });
    const rollbacks = texts.filter((text) => text === 'ROLLBACK');
    assert.equal(rollbacks.length, snapshotAttemptsMax);
  });

  it('reads only so many rows again', async () => {
    const point = { key: ['1'], snapshot: '3:3:' };
    const points = Array.from({ length: snapshotPointsMax }, () => point);
    const session = {} as TextSession;
    await assert.rejects(readPoint(session, stateOf({ points }), ['2']), { code: '54000' });
  });

  it('tells what may pass from what will not', () => {
    const said = (code: string): unknown =>
      Object.assign(new Error('as Postgres says it'), { severity: 'ERROR', code });
    const passing = ['40001', '40P01', '55P03', '57014', '57P01', '53300', '08006'];
    const others = ['42501', '22012', '42703', 'XX000'];
    for (const code of [...passing, ...others]) {
      const { code: given, retryable } = snapshotFailure('t', said(code)) as PgError;
      assert.deepEqual([given, retryable], [code, passing.includes(code)]);
    }
    const lost = snapshotFailure('t', new Error('Connection terminated unexpectedly'));
    assert.equal((lost as PgError).code, '08006');
    const mistake = new TypeError('a mistake');
    assert.equal(snapshotFailure('t', mistake), mistake);
  });
});

import assert from 'node:assert/strict';
import { trackedNamesMax, trackedWeightMax } from '../core/limits.ts';
import { textCoding } from '../protocol/client-encoding.ts';
import { LoweredStatements } from './lowered-statements.ts';
import { positionTranslator } from './position-map.ts';
import type { StatementContext } from './statement-context.ts';

describe('LoweredStatements', () => {
  const coding = textCoding('UTF8', Buffer.alloc(0))!;
  const contextOf = (weight: number): StatementContext => ({
    coding,
    translator: positionTranslator({ positions: [], coding, sentText: '', clientText: '' }),
    errors: [],
    tags: [],
    weight,
  });
  const parsed = (statements: LoweredStatements, name: string, context?: StatementContext) =>
    statements.confirm({ kind: 'parse', name, ...(context === undefined ? {} : { context }) });
  const has = (statements: LoweredStatements, name: string) =>
    statements.contextOf({ kind: 'use-statement', name }) !== undefined;

  it('gives a name its latest meaning', () => {
    const statements = new LoweredStatements();
    parsed(statements, 'a', contextOf(1));
    assert.ok(has(statements, 'a'));
    parsed(statements, 'a');
    assert.ok(!has(statements, 'a'));
    parsed(statements, 'a', contextOf(1));
    statements.clear();
    assert.ok(!has(statements, 'a'));
  });

  it('forgets the oldest names beyond their number', () => {
    const statements = new LoweredStatements();
    for (let i = 0; i <= trackedNamesMax; i++) parsed(statements, `s${i}`, contextOf(1));
    assert.ok(!has(statements, 's0'));
    assert.ok(has(statements, 's1'));
    assert.ok(has(statements, `s${trackedNamesMax}`));
  });

  it('forgets the oldest names beyond their weight, whatever their number', () => {
    const statements = new LoweredStatements();
    for (const name of ['a', 'b', 'c']) parsed(statements, name, contextOf(trackedWeightMax / 2));
    assert.deepEqual(
      ['a', 'b', 'c'].map((name) => has(statements, name)),
      [false, true, true],
    );
    parsed(statements, 'd', contextOf(trackedWeightMax + 1));
    assert.deepEqual(
      ['b', 'c', 'd'].map((name) => has(statements, name)),
      [false, false, false],
    );
    parsed(statements, 'e', contextOf(1));
    assert.ok(has(statements, 'e'));
  });

  it('has a portal follow the statement it was bound to', () => {
    const statements = new LoweredStatements();
    parsed(statements, 'a', contextOf(1));
    statements.confirm({ kind: 'bind', portal: 'p', statement: 'a' });
    parsed(statements, 'a');
    assert.ok(statements.contextOf({ kind: 'use-portal', name: 'p' }) !== undefined);
    statements.confirm({ kind: 'bind', portal: 'p', statement: undefined });
    assert.equal(statements.contextOf({ kind: 'use-portal', name: 'p' }), undefined);
  });
});

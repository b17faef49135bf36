import assert from 'node:assert/strict';
import type { Client } from 'pg';
import { withClient } from '../postgres/client.ts';
import { isUnanswerable } from '../testing/oracle/compare.ts';
import { definition } from '../testing/oracle/definition.ts';
import { type Outcome, runPlain, runRewritten } from '../testing/oracle/rewriting-client.ts';
import { type Shape, shapes, shapeTables } from '../testing/oracle/shapes.ts';
import { testPostgres } from '../testing/test-postgres.ts';

describe('windows in statements of every shape', () => {
  it('give what hand-written SQL gives', async () => {
    const postgres = await testPostgres();
    const url = postgres.url(await postgres.createDatabase());
    const differences: string[] = [];
    await withClient(url, async (client) => {
      await client.query(definition);
      await client.query(shapeTables);
      await client.query("SET statement_timeout = '20s'");
      for (const canProbe of [true, false]) {
        for (const shape of shapes) {
          const difference = await compare(client, shape, canProbe);
          if (difference !== undefined) differences.push(difference);
        }
      }
    });
    assert.equal(differences.length, 0, `\n${differences.join('\n\n')}`);
  });
});

async function compare(
  client: Client,
  shape: Shape,
  canProbe: boolean,
): Promise<string | undefined> {
  const got = await inTransaction(client, () => runRewritten(client, shape.ours, canProbe));
  const wanted = await inTransaction(client, () => runPlain(client, shape.oracle));
  const isSame = JSON.stringify(shown(got)) === JSON.stringify(shown(wanted));
  if (isUnanswerable(got) || (isSame && wanted.kind === 'rows')) return undefined;
  const line = shown(wanted).findIndex((text, index) => text !== shown(got)[index]);
  return [
    `${canProbe ? 'types known' : 'types unknown'}: ${shape.ours.text}`,
    `sent:   ${got.sent}`,
    `wanted: ${shown(wanted)[line] ?? `${shown(wanted).length - 1} rows`}`,
    `got:    ${shown(got)[line] ?? `${shown(got).length - 1} rows`}`,
  ].join('\n');
}

async function inTransaction(client: Client, run: () => Promise<Outcome>): Promise<Outcome> {
  await client.query('BEGIN');
  const outcome = await run();
  await client.query('ROLLBACK; DEALLOCATE ALL');
  return outcome;
}

function shown(outcome: Outcome): readonly string[] {
  if (outcome.kind === 'error') return [`${outcome.code} ${outcome.message}`];
  const rows = outcome.rows.map((row) => row.map((value) => value ?? 'NULL').join(' | '));
  return [outcome.columns.join(' | '), ...rows.sort()];
}

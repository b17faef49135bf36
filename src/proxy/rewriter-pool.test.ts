import assert from 'node:assert/strict';
import type { Rewrite, RewriteInput } from '../contracts/rewriter.ts';
import { parserWorkersMax } from '../core/limits.ts';
import { RewriterPool } from './rewriter-pool.ts';
import { Witness } from './testing/proxy-under-test.ts';

function inputOf(text: string): RewriteInput {
  return {
    text,
    protocol: 'simple',
    standardConformingStrings: true,
    parameterTypes: [],
    discovery: { kind: 'possible' },
  };
}

function codeOf(rewrite: Rewrite): string | undefined {
  const fields = rewrite.kind === 'send' ? rewrite.errors[0]?.fields : undefined;
  return fields !== undefined && 'code' in fields ? fields.code : undefined;
}

function textOf(rewrite: Rewrite): string | undefined {
  return rewrite.kind === 'send' ? rewrite.text : undefined;
}

describe('rewriter pool', function () {
  this.timeout(20_000);
  let witness: Witness;
  let pool: RewriterPool;

  beforeEach(() => {
    witness = new Witness();
    pool = new RewriterPool({
      logger: witness,
      metrics: witness,
      worker: {
        module: new URL('./testing/scripted-worker.js', import.meta.url),
        deadlineMs: 1_500,
      },
    });
  });
  afterEach(() => pool.stop());

  it('starts its first worker at the first text', async () => {
    assert.equal(pool.workers, 0);
    assert.equal(textOf(await pool.rewrite(inputOf('a'))), 'a lowered');
    assert.equal(pool.workers, 1);
  });

  it('never has more workers than its maximum', async () => {
    const texts = Array.from({ length: 30 }, (_, i) => `text ${i}`);
    const answers = await Promise.all(texts.map((text) => pool.rewrite(inputOf(text))));
    assert.deepEqual(
      answers.map(textOf),
      texts.map((text) => `${text} lowered`),
    );
    assert.ok(pool.workers <= parserWorkersMax);
  });

  it('serves short texts before long ones', async () => {
    const served: number[] = [];
    const rewrite = async (text: string): Promise<void> => {
      await pool.rewrite(inputOf(text));
      served.push(text.length);
    };
    const first = Array.from({ length: parserWorkersMax }, (_, i) => rewrite(`a${i}`));
    const lengths = Array.from({ length: 20 }, (_, i) => [3000 + i, 10 + i]).flat();
    const waiting = lengths.map((length) => rewrite('x'.repeat(length)));
    await Promise.all([...first, ...waiting]);
    // Several are under way at a time, and any of their workers may have to wait for a core.
    const order = served.slice(first.length);
    const early = order.slice(0, order.length / 2).filter((length) => length < 3000);
    assert.ok(early.length > order.length / 4, String(order));
  });

  for (const culprit of ['loop', 'exit', 'throw', 'broken', 'hoard']) {
    it(`refuses a text that makes its worker ${culprit}, and no other`, async () => {
      const others = Array.from({ length: 10 }, (_, i) => `${culprit}-innocent ${i}`);
      const [refused, ...fine] = await Promise.all(
        [culprit, ...others].map((text) => pool.rewrite(inputOf(text))),
      );
      assert.equal(codeOf(refused!), '54001');
      assert.deepEqual(
        fine.map(textOf),
        others.map((text) => `${text} lowered`),
      );
      assert.equal(witness.workersLost, 1);
      assert.equal(textOf(await pool.rewrite(inputOf('after'))), 'after lowered');
    });
  }

  it('remembers what cost a worker', async () => {
    await pool.rewrite(inputOf('broken'));
    assert.equal(codeOf(await pool.rewrite(inputOf('broken'))), '54001');
    assert.equal(witness.workersLost, 1);
  });

  it('gives workers a deep stack', async () => {
    const depth = Number(textOf(await pool.rewrite(inputOf('recurse'))));
    assert.ok(depth > 50_000, `recursion went ${depth} deep`);
  });

  it('refuses when no worker can start', async () => {
    const startless = new RewriterPool({
      logger: witness,
      metrics: witness,
      worker: { module: new URL('./testing/not-there.js', import.meta.url) },
    });
    assert.equal(codeOf(await startless.rewrite(inputOf('a'))), '54001');
    startless.stop();
  });

  it('passes texts through once it is stopped', async () => {
    const waiting = pool.rewrite(inputOf('loop'));
    pool.stop();
    assert.deepEqual(await waiting, { kind: 'pass' });
  });
});

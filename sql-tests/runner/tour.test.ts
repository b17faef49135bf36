import assert from 'node:assert/strict';
import { startServers } from './servers.ts';
import { findExamples, runTour } from './tour.ts';

describe('docs/tour.md', () => {
  let started: Awaited<ReturnType<typeof startServers>> | undefined;

  before(async function () {
    this.timeout(120_000);
    started = await startServers();
  });

  after(async () => {
    await started?.stop();
  });

  it('shows what HeliosDB answers', async function () {
    this.timeout(120_000);
    assert.ok(started);
    const { failures } = await runTour(started.servers, { isUpdating: false });
    assert.deepEqual(
      failures.map(({ message }) => message),
      [],
    );
  });
});

describe('the examples of a tour', () => {
  it('are an sql block and the text block after it', () => {
    const text = 'A\n\n```sql\nSELECT 1;\n```\n\n```text\nout\n```\n\n```sh\nnpm start\n```\n';
    const [example, ...more] = findExamples(text);
    assert.equal(more.length, 0);
    assert.equal(example?.sql, 'SELECT 1;\n');
    assert.equal(text.slice(example?.from, example?.to), 'out\n');
    assert.equal(example?.line, 4);
  });
});

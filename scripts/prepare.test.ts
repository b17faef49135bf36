import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

describe('the preparation of a checkout', function () {
  this.timeout(20_000);

  for (const version of ['18.20.1', '20.18.3']) {
    it(`refuses Node ${version} before it does anything`, () => {
      const { status, stderr } = prepareWith(version);
      assert.equal(stderr, `Node 20.19 or later is needed, this is ${version}\n`);
      assert.equal(status, 1);
    });
  }

  for (const version of ['20.19.0', '22.3.0']) {
    it(`takes Node ${version}`, () => {
      const { status, stderr } = prepareWith(version);
      assert.equal(stderr, '');
      assert.equal(status, 0);
    });
  }
});

/** In a process that takes itself for another version. */
function prepareWith(version: string): { status: number | null; stderr: string } {
  const disguise = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } });`;
  const args = ['--import', `data:text/javascript,${disguise}`, 'scripts/prepare.mjs'];
  return spawnSync(process.execPath, args, { encoding: 'utf8' });
}

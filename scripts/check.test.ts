/** `npm test` covers `npm run check`: each of its checks is a test here. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = scriptBeside(dirname(fileURLToPath(import.meta.url)));
const listed = spawnSync(process.execPath, [script, '--list'], { encoding: 'utf8' });
/** Has a test file of its own. */
const testedElsewhere = ['tidiness'];

describe('npm run check', () => {
  for (const name of listed.stdout.split('\n').filter((line) => line !== '')) {
    if (testedElsewhere.includes(name)) continue;
    it(`finds nothing wrong with ${name}`, function () {
      this.timeout(120_000);
      this.slow(20_000);
      const { status, stdout } = spawnSync(process.execPath, [script, name], { encoding: 'utf8' });
      assert.equal(status, 0, stdout);
    });
  }

  it('knows its checks', () => {
    assert.match(listed.stdout, /^imports$/m);
  });
});

/** From source or compiled, the script is in the scripts folder of the package. */
function scriptBeside(directory: string): string {
  const script = join(directory, 'scripts', 'check.mjs');
  return existsSync(script) ? script : scriptBeside(dirname(directory));
}

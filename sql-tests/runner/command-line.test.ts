import assert from 'node:assert/strict';
import { isChosen, parseCommandLine } from './command-line.ts';

describe('the command line of the sql tests', () => {
  it('takes any number of filters', () => {
    assert.deepEqual(parseCommandLine(['windows/hop', '--update', 'plans']), {
      kind: 'run',
      filters: ['windows/hop', 'plans'],
      isUpdating: true,
    });
    const filters = ['windows/hop', 'plans'];
    assert.ok(isChosen('sql-tests/windows/hop-size.slt', filters));
    assert.ok(isChosen('sql-tests/plans/tumble.slt', filters));
    assert.ok(!isChosen('sql-tests/windows/tumble.slt', filters));
    assert.ok(isChosen('docs/tour.md', []));
  });

  it('gives help, and a sentence about what it does not know', () => {
    assert.deepEqual(parseCommandLine(['--help']), { kind: 'help' });
    const mistake = parseCommandLine(['--foo']);
    assert.deepEqual(mistake, { kind: 'mistake', message: "Unknown option '--foo'" });
  });
});

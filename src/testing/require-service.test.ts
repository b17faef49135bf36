import assert from 'node:assert/strict';
import Mocha from 'mocha';
import { requireCommand } from './require-service.ts';

const missing = 'no_such_command';
const variable = 'HELIOSDB_REQUIRE_SERVICES';

describe('a test that needs a program', () => {
  const given = process.env[variable];

  afterEach(() => {
    if (given === undefined) delete process.env[variable];
    else process.env[variable] = given;
  });

  for (const [where, add] of [
    ['a hook', addHook],
    ['itself', addTest],
  ] as const) {
    it(`is skipped and says what it needs, when asked for in ${where}`, async () => {
      delete process.env[variable];
      const outcome = await run((suite) => add(suite, missing));
      assert.deepEqual(outcome, { skipped: [`goes on (needs ${missing})`], failed: [] });
    });

    it(`fails where everything has to be there, when asked for in ${where}`, async () => {
      process.env[variable] = '1';
      const outcome = await run((suite) => add(suite, missing));
      const complaint = `${missing} is missing, and ${variable}=1 requires it`;
      assert.deepEqual(outcome, { skipped: [], failed: [complaint] });
    });
  }

  it('goes on where the program is there', async () => {
    process.env[variable] = '1';
    assert.deepEqual(await run((suite) => addTest(suite, 'sh')), { skipped: [], failed: [] });
  });
});

type Outcome = { readonly skipped: string[]; readonly failed: string[] };

/** A run inside of the run, which reports to nobody. */
function run(add: (suite: Mocha.Suite) => void): Promise<Outcome> {
  const outcome: Outcome = { skipped: [], failed: [] };
  const root = new Mocha.Suite('', new Mocha.Context());
  add(root);
  const runner = new Mocha.Runner(root, {});
  runner.on('pending', ({ title }) => outcome.skipped.push(title));
  runner.on('fail', (_test, { message }) => outcome.failed.push(message));
  return new Promise((resolve) => {
    runner.run(() => resolve(outcome));
  });
}

function addHook(suite: Mocha.Suite, command: string): void {
  suite.beforeAll(function () {
    requireCommand(this, command);
  });
  suite.addTest(new Mocha.Test('goes on', () => undefined));
}

function addTest(suite: Mocha.Suite, command: string): void {
  suite.addTest(
    new Mocha.Test('goes on', function (this: Mocha.Context) {
      requireCommand(this, command);
    }),
  );
}

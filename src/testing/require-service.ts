import assert from 'node:assert/strict';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Lets a test go on only where a program or server it needs is there. Otherwise it is skipped by
 * name, or fails when `HELIOSDB_REQUIRE_SERVICES` is set. Called at the start of a test or a
 * `before` hook with its `this`.
 */
export function requireService(test: Mocha.Context, name: string, isThere: boolean): void {
  if (isThere) return;
  assert.notEqual(process.env['HELIOSDB_REQUIRE_SERVICES'], '1', `${name} is required but missing`);
  if (test.test !== undefined) test.test.title += ` (needs ${name})`;
  test.skip();
}

/** As `requireService`, for a command of the search path such as psql. */
export function requireCommand(test: Mocha.Context, command: string): void {
  requireService(test, command, hasCommand(command));
}

function hasCommand(command: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

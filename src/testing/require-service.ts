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
  if (process.env['HELIOSDB_REQUIRE_SERVICES'] === '1') {
    assert.fail(`${name} is missing, and HELIOSDB_REQUIRE_SERVICES=1 requires it`);
  }
  const skipped: (Mocha.Runnable & { readonly type?: string }) | undefined = test.test;
  if (skipped?.type === 'hook') skipped.parent?.eachTest((one) => tellNeed(one, name));
  else if (skipped !== undefined) tellNeed(skipped, name);
  test.skip();
}

function tellNeed(skipped: Mocha.Runnable, name: string): void {
  skipped.title += ` (needs ${name})`;
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

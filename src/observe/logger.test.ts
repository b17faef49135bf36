import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { LogFields } from '../contracts/logger.ts';

describe('the logger', () => {
  it('writes a JSON object per line to stderr, from its level on', () => {
    const entries = written(`
      logger.info('not said');
      logger.warn('role process ended', { attempts: 2 });
      logger.error('no fields');`);
    assert.deepEqual(
      entries.map(({ level, role, message, attempts }) => ({ level, role, message, attempts })),
      [
        { level: 'warn', role: 'proxy', message: 'role process ended', attempts: 2 },
        { level: 'error', role: 'proxy', message: 'no fields', attempts: undefined },
      ],
    );
    assert.ok(entries.every(({ time }) => !Number.isNaN(Date.parse(String(time)))));
  });

  it('writes out an error with what it says', () => {
    const [entry] = written(`
      const error = Object.assign(new TypeError('no answer'), { code: '08006', secret: 1 });
      logger.error('capture failed unexpectedly', { error });`);
    assert.ok(entry);
    const { stack, ...error } = entry['error'] as Record<string, unknown>;
    assert.deepEqual(error, { name: 'TypeError', code: '08006', message: 'no answer' });
    assert.match(String(stack), /^TypeError: no answer\n/);
  });

  it('takes no field for what a line has of its own', () => {
    const fields: LogFields[] = [
      // @ts-expect-error
      { message: 'the message of an error' },
      // @ts-expect-error
      { pid: 1 },
      // @ts-expect-error
      { role: 'ann' },
      { error: 'the message of an error' },
    ];
    assert.equal(fields.length, 4);
  });
});

/** What a script writes with a logger, line by line. */
function written(script: string): Record<string, unknown>[] {
  const module = new URL('./logger.js', import.meta.url).href;
  const opening = `
    const { openLogger } = await import('${module}');
    const logger = openLogger({ level: 'warn', fields: { role: 'proxy' } });`;
  const { stderr, stdout } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', opening + script],
    { encoding: 'utf8' },
  );
  assert.equal(stdout, '');
  const lines = stderr.trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

describe('the logger', () => {
  it('writes a JSON object per line to stderr, from its level on', () => {
    const module = new URL('./logger.js', import.meta.url).href;
    const script = `
      const { openLogger } = await import('${module}');
      const logger = openLogger({ level: 'warn', fields: { role: 'proxy' } });
      logger.info('not said');
      logger.warn('role process ended', { attempts: 2 });
      logger.error('no fields');`;
    const { stderr, stdout } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { encoding: 'utf8' },
    );
    assert.equal(stdout, '');
    const lines = stderr.trimEnd().split('\n');
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      entries.map(({ level, role, message, attempts }) => ({ level, role, message, attempts })),
      [
        { level: 'warn', role: 'proxy', message: 'role process ended', attempts: 2 },
        { level: 'error', role: 'proxy', message: 'no fields', attempts: undefined },
      ],
    );
    assert.ok(entries.every(({ time }) => !Number.isNaN(Date.parse(String(time)))));
  });
});

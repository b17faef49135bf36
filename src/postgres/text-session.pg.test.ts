import assert from 'node:assert/strict';
import { testPostgres } from '../testing/test-postgres.ts';
import { describeFailure } from './database-failure.ts';
import { openTextSession } from './text-session.ts';

describe('a session of texts', () => {
  it('prints values the same way whatever the role is set to', async () => {
    const postgres = await testPostgres();
    const url = postgres.url(await postgres.createDatabase());
    const setter = await openTextSession(url);
    const settings = [`datestyle = 'German'`, `timezone = 'Asia/Tokyo'`, 'extra_float_digits = 0'];
    const [row] = await setter.query('SELECT current_database()');
    for (const setting of settings) await setter.query(`ALTER DATABASE ${row?.[0]} SET ${setting}`);
    await setter.close();
    const session = await openTextSession(url);
    const rows = await session.query(
      `SELECT timestamptz '2024-01-01 00:00+00', float8 '0.1' + float8 '0.2', interval '1 day 2 h',
         '\\x00ff'::bytea, true, 12345678901234567890, NULL`,
    );
    assert.deepEqual(rows, [
      [
        ...['2024-01-01 00:00:00+00', '0.30000000000000004', '1 day 02:00:00', '\\x00ff', 't'],
        ...['12345678901234567890', null],
      ],
    ]);
    await session.close();
  });

  it('runs one statement at a time', async () => {
    const postgres = await testPostgres();
    const session = await openTextSession(postgres.url('postgres'));
    await assert.rejects(session.query('SELECT 1; SELECT 2'), { code: '42601' });
    await session.close();
    const lost = await session.query('SELECT 1').catch((error: unknown) => error);
    assert.ok(describeFailure(lost).isConnectionLost);
  });
});

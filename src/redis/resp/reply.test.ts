import assert from 'node:assert/strict';
import { PgError } from '../../core/errors/pg-error.ts';
import { errorReply } from './error-line.ts';
import { bulk, encodeReply, integer, map, type Reply, type RespVersion } from './reply.ts';

function encode(reply: Reply, version: RespVersion): string {
  const parts: Buffer[] = [];
  encodeReply(reply, version, parts);
  return Buffer.concat(parts).toString();
}

describe('redis replies', () => {
  it('differ between the protocols where Redis differs', () => {
    const entries = [[bulk('k'), integer(1)]] as const;
    const cases: readonly (readonly [Reply, string, string])[] = [
      [{ kind: 'null' }, '$-1\r\n', '_\r\n'],
      [{ kind: 'null-array' }, '*-1\r\n', '_\r\n'],
      [map({ a: integer(1) }), '*2\r\n$1\r\na\r\n:1\r\n', '%1\r\n$1\r\na\r\n:1\r\n'],
      [{ kind: 'keyed', entries }, '*1\r\n*2\r\n$1\r\nk\r\n:1\r\n', '%1\r\n$1\r\nk\r\n:1\r\n'],
      [{ kind: 'set', items: [] }, '*0\r\n', '~0\r\n'],
      [{ kind: 'verbatim', content: 'é' }, '$2\r\né\r\n', '=6\r\ntxt:é\r\n'],
    ];
    for (const [reply, two, three] of cases) {
      assert.equal(encode(reply, 2), two);
      assert.equal(encode(reply, 3), three);
    }
  });

  it('have errors on one line', () => {
    assert.equal(encode({ kind: 'error', line: 'ERR a\r\n+OK' }, 2), '-ERR a  +OK\r\n');
  });

  it('tell the class of an error by its SQLSTATE, and what to do', () => {
    const error = new PgError({
      code: '42501',
      message: 'permission denied for table t',
      detail: 'It is so.',
      hint: 'Ask.',
    });
    const line = 'NOPERM permission denied for table t. It is so. Ask.';
    assert.deepEqual(errorReply(error), { kind: 'error', line });
    const other = new PgError({ code: 'XX000', message: 'log is damaged' });
    assert.deepEqual(errorReply(other), { kind: 'error', line: 'ERR log is damaged' });
  });
});

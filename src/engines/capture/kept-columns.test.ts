import assert from 'node:assert/strict';
import { PgError } from '../../core/errors/pg-error.ts';
import { copyKeptColumns } from './kept-columns.ts';

/** A tuple as pgoutput has it: undefined is an unchanged value. */
function tuple(kind: string, values: readonly (string | null | undefined)[]): Buffer {
  const head = Buffer.alloc(3);
  head.write(kind, 'latin1');
  head.writeUInt16BE(values.length, 1);
  return Buffer.concat([
    head,
    ...values.flatMap((value) => {
      if (value === null) return [Buffer.from('n')];
      if (value === undefined) return [Buffer.from('u')];
      const length = Buffer.alloc(4);
      length.writeInt32BE(Buffer.byteLength(value), 0);
      return [Buffer.from('t'), length, Buffer.from(value)];
    }),
  ]);
}

describe('tuples without the columns that are kept out', () => {
  it('have the others as they were', () => {
    const both = Buffer.concat([
      tuple('O', ['1', 'secret', null, undefined]),
      tuple('N', ['1', null, 'x', undefined]),
    ]);
    assert.deepEqual(
      copyKeptColumns(both, 0, both.length, [true, false, true, true]),
      Buffer.concat([tuple('O', ['1', null, undefined]), tuple('N', ['1', 'x', undefined])]),
    );
  });

  it('are refused when they are cut off', () => {
    const whole = tuple('N', ['1', 'secret']);
    for (let end = 1; end < whole.length; end += 1) {
      assert.throws(() => copyKeptColumns(whole, 0, end, [true, false]), PgError);
    }
  });
});

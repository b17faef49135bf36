import assert from 'node:assert/strict';
import { statementTooComplex } from '../core/errors/windows.ts';
import { asRefusal } from './unexpected.ts';

describe('asRefusal', () => {
  it('leaves a refusal as it is', () => {
    const refusal = statementTooComplex('too long');
    assert.equal(asRefusal(refusal), refusal);
  });

  it('makes an internal error of a mistake', () => {
    const { code, message, detail } = asRefusal(new TypeError('x is undefined'));
    assert.equal(code, 'XX000');
    assert.equal(message, 'window could not be lowered');
    assert.equal(detail, 'x is undefined');
  });

  it('throws on what leaves the parser unusable', () => {
    const broken = new RangeError('Maximum call stack size exceeded');
    assert.throws(() => asRefusal(broken), broken);
  });
});

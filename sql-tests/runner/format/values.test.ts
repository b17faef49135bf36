import assert from 'node:assert/strict';
import fc from 'fast-check';
import { printText, printValue, readValue } from './values.ts';

describe('values as a test file writes them', () => {
  it('spell out what could not be seen', () => {
    const text = { binary: false, encoding: 'utf8' } as const;
    assert.equal(printValue(null, text), 'NULL');
    assert.equal(printValue(Buffer.from(''), text), '(empty)');
    assert.equal(printValue(Buffer.from('NULL'), text), '\\NULL');
    assert.equal(printValue(Buffer.from('a\tb\n\\'), text), 'a\\tb\\n\\\\');
    assert.equal(printValue(Buffer.from([0, 255]), { ...text, binary: true }), '0x00ff');
  });

  it('stay on one line and can be read back', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('\\', 't', 'n', '\n', '\t', 'x', '\r') }),
        (text) => {
          const written = printText(text);
          assert.doesNotMatch(written, /[\t\n\r]/);
          assert.equal(readValue(written), text);
        },
      ),
    );
  });
});

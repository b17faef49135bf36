import assert from 'node:assert/strict';
import { parseTestFile } from './test-file.ts';

const header = '# name: windows/x\n# about: something\n# needs: postgres >= 15\n';

function parse(text: string): ReturnType<typeof parseTestFile> {
  return parseTestFile({ path: 'sql-tests/windows/x.slt', name: 'windows/x', text });
}

describe('the header of a test file', () => {
  it('says what the file is about and what it needs', () => {
    const file = parse(`${header}\nstatement ok\nSELECT 1;\n`);
    assert.equal(file.about, 'something');
    assert.deepEqual(file.needs, [{ service: 'postgres', atLeast: 15 }]);
    assert.equal(file.blocks.length, 1);
  });

  it('must have its three lines, in order, and an empty one after them', () => {
    assert.throws(
      () => parse('# name: windows/x\n# needs: postgres\n'),
      /x\.slt:2: line 2 must be/,
    );
    assert.throws(() => parse('statement ok\nSELECT 1;\n'), /x\.slt:1: line 1 must be "# name: /);
    assert.throws(() => parse(`${header}statement ok\nSELECT 1;\n`), /x\.slt:4: an empty line/);
  });

  it('must name the file as its path does', () => {
    assert.throws(() => parse(header.replace('/x', '/y')), /its name is "windows\/y"/);
  });

  it('must ask for something there is', () => {
    assert.throws(
      () => parse(`${header.replace('postgres >= 15', 'luck')}\n`),
      /"luck" is not a need/,
    );
  });
});

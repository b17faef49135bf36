import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  redisArgumentsMax,
  redisBulkBytesMax,
  redisLineBytesMax,
  redisRequestBytesMax,
} from '../../core/limits.ts';
import { encodeRequest } from '../testing/resp-client.ts';
import { type Parsed, RequestParser } from './request-parser.ts';

function read(chunks: readonly Buffer[], isAuthenticated = true): (readonly string[] | string)[] {
  const parser = new RequestParser(() => isAuthenticated);
  const found: (readonly string[] | string)[] = [];
  for (const chunk of chunks) {
    parser.push(chunk);
    for (let parsed = parser.next(); parsed !== undefined; parsed = parser.next()) {
      if (parsed.kind === 'violation') return [...found, parsed.reason];
      found.push(parsed.args.map((arg) => arg.toString('latin1')));
    }
  }
  return found;
}

const inWhole = (text: string, isAuthenticated = true) =>
  read([Buffer.from(text, 'latin1')], isAuthenticated);

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const points = [...new Set(cuts.map((one) => one % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...points].map((from, index) => bytes.subarray(from, points[index] ?? bytes.length));
}

describe('redis request parser', () => {
  it('finds the same requests however the bytes are cut', () => {
    const argument = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    const request = fc.array(argument, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(request), fc.array(fc.nat()), (requests, cuts) => {
        const bytes = Buffer.concat(requests.map(encodeRequest));
        const wanted = requests.map((args) => args.map((arg) => arg.toString('latin1')));
        assert.deepEqual(read(cut(bytes, cuts)), wanted);
        assert.deepEqual(read([...bytes].map((byte) => Buffer.from([byte]))), wanted);
      }),
    );
  });

  it('says the same about any bytes however they are cut, and never throws', () => {
    const piece = fc.oneof(
      fc.constantFrom('*', '$', '*1\r\n', '$3\r\n', '\r\n', '\n', '-1', '"', "'", 'GET', ' '),
      fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat()), (pieces, cuts) => {
        const bytes = Buffer.from(pieces.join(''), 'latin1');
        assert.deepEqual(read(cut(bytes, cuts)), read([bytes]));
      }),
      { numRuns: 500 },
    );
  });

  it('reads inline requests with their quotes', () => {
    assert.deepEqual(inWhole('PING\r\n'), [['PING']]);
    assert.deepEqual(inWhole("  echo \"a b\\x41\\n\"  'it\\'s'\n"), [['echo', 'a bA\n', "it's"]]);
    assert.deepEqual(inWhole('\r\n\r\nPING\r\n'), [['PING']]);
    assert.deepEqual(inWhole('echo ""\r\n'), [['echo', '']]);
  });

  it('ignores empty arrays', () => {
    assert.deepEqual(inWhole('*0\r\n*-1\r\nPING\r\n'), [['PING']]);
  });

  it('refuses what Redis refuses, in its words', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['echo "a\r\n', 'unbalanced quotes in request'],
      ['echo "a"b\r\n', 'unbalanced quotes in request'],
      ['*x\r\n', 'invalid multibulk length'],
      ['*01\r\n', 'invalid multibulk length'],
      [`*${redisArgumentsMax + 1}\r\n`, 'invalid multibulk length'],
      ['*1\r\n:1\r\n', "expected '$', got ':'"],
      ['*1\r\n\x01\r\n', "expected '$', got '\\x01'"],
      ['*1\r\n$-1\r\n', 'invalid bulk length'],
      ['*1\r\n$1e3\r\n', 'invalid bulk length'],
      [`*1\r\n$${redisBulkBytesMax + 1}\r\n`, 'invalid bulk length'],
      ['x'.repeat(redisLineBytesMax + 1), 'too big inline request'],
      [`*${'1'.repeat(redisLineBytesMax + 1)}`, 'too big mbulk count string'],
      [`*1\r\n$${'1'.repeat(redisLineBytesMax + 1)}`, 'too big bulk count string'],
    ];
    for (const [text, reason] of cases)
      assert.deepEqual(inWhole(text), [reason], text.slice(0, 40));
  });

  it('refuses a request that is too large as a whole', () => {
    const parser = new RequestParser(() => true);
    const argument = Buffer.alloc(redisBulkBytesMax);
    const count = redisRequestBytesMax / redisBulkBytesMax + 1;
    parser.push(encodeRequest(Array.from({ length: count }, () => argument)));
    assert.deepEqual(parser.next(), { kind: 'violation', reason: 'too big request' });
  });

  it('takes less from a client that has not authenticated', () => {
    assert.deepEqual(inWhole('*11\r\n', false), ['unauthenticated multibulk length']);
    assert.deepEqual(inWhole('*1\r\n$16385\r\n', false), ['unauthenticated bulk length']);
  });

  it('has the limits of the moment for each request of one chunk', () => {
    let isAuthenticated = false;
    const parser = new RequestParser(() => isAuthenticated);
    parser.push(Buffer.from('AUTH x\r\n*11\r\n'));
    assert.equal(parser.next()?.kind, 'request');
    isAuthenticated = true;
    assert.equal(parser.next(), undefined);
  });

  it('stays refused after a violation and keeps nothing', () => {
    const parser = new RequestParser(() => true);
    parser.push(Buffer.from('*x\r\nPING\r\n'));
    const violation: Parsed = { kind: 'violation', reason: 'invalid multibulk length' };
    assert.deepEqual(parser.next(), violation);
    assert.deepEqual(parser.next(), violation);
    assert.equal(parser.bufferedBytes, 0);
  });

  it('takes a long argument in small pieces in little time', () => {
    const parser = new RequestParser(() => true);
    const bytes = encodeRequest([Buffer.alloc(redisBulkBytesMax, 0x61)]);
    for (let at = 0; at < bytes.length; at += 16) {
      parser.push(bytes.subarray(at, at + 16));
      if (at + 16 < bytes.length) assert.equal(parser.next(), undefined);
    }
    const parsed = parser.next();
    assert.ok(parsed?.kind === 'request');
    assert.equal(parsed.args[0]?.length, redisBulkBytesMax);
  });
});

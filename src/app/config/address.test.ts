import assert from 'node:assert/strict';
import { isLoopback, parseAddress, printAddress } from './address.ts';

describe('an address to listen on', () => {
  for (const [text, host, port] of [
    ['127.0.0.1:6432', '127.0.0.1', 6432],
    ['6432', '127.0.0.1', 6432],
    [':6432', '0.0.0.0', 6432],
    ['[::1]:0', '::1', 0],
    ['db.example:1', 'db.example', 1],
  ] as const) {
    it(`is read from ${text}`, () => assert.deepEqual(parseAddress(text), { host, port }));
  }

  for (const text of ['', 'host', 'host:', '::1:5', '1:2:3', 'host:70000', 'host:-1', 'host:x']) {
    it(`is not ${JSON.stringify(text)}`, () => assert.equal(parseAddress(text), undefined));
  }

  it('is printed as it is read', () => {
    for (const text of ['127.0.0.1:6432', '[::1]:0']) {
      const address = parseAddress(text);
      assert.ok(address);
      assert.equal(printAddress(address), text);
    }
  });

  it('is loopback or open to others', () => {
    for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) assert.ok(isLoopback(host));
    for (const host of ['0.0.0.0', '::', '10.0.0.1', 'db']) assert.ok(!isLoopback(host));
  });
});

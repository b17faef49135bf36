import assert from 'node:assert/strict';
import { type NodeAddresses, parseReadyLine, printReadyLine } from './ready-line.ts';

describe('the ready line', () => {
  const listen = { host: '127.0.0.1', port: 6432 };
  const redis = { host: '127.0.0.1', port: 6380 };
  const http = { host: '::1', port: 8080 };
  const metrics = { host: '0.0.0.0', port: 9090 };

  for (const addresses of [
    { listen, redis, http, metrics },
    { listen, redis: undefined, http: undefined, metrics: undefined },
    { listen: undefined, redis, http, metrics },
  ] satisfies NodeAddresses[]) {
    it(`is read back from ${printReadyLine(addresses)}`, () => {
      const line = printReadyLine(addresses);
      assert.match(line, /^heliosdb ready/);
      assert.equal(parseReadyLine(line), undefined, 'the line is not over yet');
      assert.deepEqual(parseReadyLine(`creating\n${line}\nmore\n`), addresses);
    });
  }
});

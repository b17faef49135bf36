import assert from 'node:assert/strict';
import fc from 'fast-check';
import { serialize } from 'pg-protocol';
import { withoutChannelBinding } from './authentication-sasl.ts';
import { decodeBindNames } from './bind-message.ts';
import { encodeCommandComplete } from './command-complete.ts';
import {
  decodeResponseFields,
  encodeErrorResponse,
  encodeNoticeResponse,
} from './error-response.ts';
import { decodeExecutePortal } from './execute-message.ts';
import { encodeFrame, nul } from './frame-writer.ts';
import { clientMessage, serverMessage } from './message-types.ts';
import { decodeParameterDescription } from './parameter-description.ts';
import { decodeParameterStatus } from './parameter-status.ts';
import { decodeParseTypes, encodeParse, locateParse, replaceParseText } from './parse-message.ts';
import { encodeQuery, locateQueryText } from './query-message.ts';
import { decodeReadyForQuery } from './ready-for-query.ts';
import { decodeTarget, targetKind } from './target-message.ts';

/** Messages rarely begin at zero of their buffer. */
function placed(message: Buffer): [Buffer, number, number] {
  const before = Buffer.from('before');
  return [
    Buffer.concat([before, message, Buffer.from('after')]),
    before.length,
    before.length + message.length,
  ];
}

const textArbitrary = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));
const oidArbitrary = fc.integer({ min: 0, max: 0xffff_ffff });

describe('Query', () => {
  it('is what pg-protocol encodes', () => {
    fc.assert(
      fc.property(textArbitrary, (text) => {
        const encoded = encodeQuery(Buffer.from(text));
        assert.deepEqual(encoded, serialize.query(text));
        const [bytes, start, end] = placed(encoded);
        const where = locateQueryText(bytes, start, end);
        assert.ok(where);
        assert.deepEqual(bytes.subarray(where.from, where.to), Buffer.from(text));
      }),
    );
  });

  it('without its end, or with something behind it, is not looked into', () => {
    for (const body of ['SELECT 1', 'SELECT 1\0more\0', '']) {
      const message = encodeFrame(clientMessage.query, Buffer.from(body));
      assert.equal(locateQueryText(...placed(message)), undefined);
    }
  });
});

describe('Parse', () => {
  it('is what pg-protocol encodes, and changes its text only', () => {
    const message = fc.record({
      name: fc.string({ unit: 'grapheme-ascii' }),
      text: textArbitrary,
      newText: textArbitrary,
      types: fc.array(oidArbitrary, { maxLength: 5 }),
    });
    fc.assert(
      fc.property(message, ({ name, text, newText, types }) => {
        const encode = (of: string): Buffer =>
          encodeParse({ name, text: Buffer.from(of), parameterTypes: types });
        if (types.every((oid) => oid < 0x8000_0000)) {
          assert.deepEqual(encode(text), serialize.parse({ name, text, types }));
        }
        const [bytes, start, end] = placed(encode(text));
        const parts = locateParse(bytes, start, end);
        assert.ok(parts);
        assert.equal(bytes.toString('latin1', parts.nameFrom, parts.nameTo), name);
        assert.deepEqual(bytes.subarray(parts.textFrom, parts.textTo), Buffer.from(text));
        assert.deepEqual(decodeParseTypes(bytes, parts), types);
        assert.deepEqual(
          replaceParseText(bytes, parts, end, Buffer.from(newText)),
          encode(newText),
        );
      }),
    );
  });

  it('that is not well formed is not looked into', () => {
    for (const body of [
      '',
      'name',
      'name\0text',
      'name\0text\0',
      'name\0text\0\0\x01',
      'n\0t\0\0\0x',
    ]) {
      const message = encodeFrame(clientMessage.parse, Buffer.from(body, 'latin1'));
      assert.equal(locateParse(...placed(message)), undefined, JSON.stringify(body));
    }
  });
});

describe('names in client messages', () => {
  it('of Bind', () => {
    const message = serialize.bind({ portal: 'p', statement: 's', values: ['x'] });
    assert.deepEqual(decodeBindNames(...placed(message)), { portal: 'p', statement: 's' });
    assert.equal(decodeBindNames(message, 0, 6), undefined);
    assert.deepEqual(decodeBindNames(message, 0, 8), { portal: 'p', statement: undefined });
    const long = serialize.bind({ portal: 'p'.repeat(100), statement: 's'.repeat(64) });
    const names = { portal: 'p'.repeat(63), statement: 's'.repeat(63) };
    assert.deepEqual(decodeBindNames(...placed(long)), names);
    assert.deepEqual(decodeBindNames(long, 0, 70), { ...names, statement: undefined });
  });

  it('of Execute', () => {
    const message = serialize.execute({ portal: 'p', rows: 3 });
    assert.equal(decodeExecutePortal(...placed(message)), 'p');
    assert.equal(decodeExecutePortal(message, 0, 6), undefined);
  });

  it('of Describe and Close', () => {
    const statement = serialize.describe({ type: 'S', name: 's' });
    assert.deepEqual(decodeTarget(...placed(statement)), { of: 'statement', name: 's' });
    const portal = serialize.close({ type: 'P', name: '' });
    assert.deepEqual(decodeTarget(...placed(portal)), { of: 'portal', name: '' });
    assert.equal(decodeTarget(statement, 0, 7), undefined);
    assert.equal(targetKind(statement, 0, 5), undefined);
    const odd = encodeFrame(clientMessage.describe, Buffer.from('Xx\0'));
    assert.equal(targetKind(odd, 0, odd.length), undefined);
  });
});

describe('ErrorResponse and NoticeResponse', () => {
  it('keep their fields and the order of them', () => {
    const fieldArbitrary = fc.tuple(fc.constantFrom(...'SVCMDHPpqWstcdnFLR'), textArbitrary);
    fc.assert(
      fc.property(fc.uniqueArray(fieldArbitrary, { selector: ([code]) => code }), (pairs) => {
        const fields = new Map(pairs.map(([code, value]) => [code, Buffer.from(value)]));
        for (const encode of [encodeErrorResponse, encodeNoticeResponse]) {
          const decoded = decodeResponseFields(...placed(encode(fields)));
          assert.deepEqual([...(decoded ?? [])], [...fields]);
        }
      }),
    );
  });

  it('without an end are not well formed', () => {
    for (const body of ['', 'SERROR', 'SERROR\0']) {
      const message = encodeFrame(serverMessage.errorResponse, Buffer.from(body));
      assert.equal(decodeResponseFields(...placed(message)), undefined);
    }
  });
});

describe('other server messages', () => {
  it('ParameterDescription gives its types', () => {
    const message = encodeFrame(
      serverMessage.parameterDescription,
      Buffer.from([0, 2, 0, 0, 0, 23, 0xff, 0xff, 0xff, 0xff]),
    );
    assert.deepEqual(decodeParameterDescription(...placed(message)), [23, 0xffff_ffff]);
    for (const cut of [5, 6, 10, 14]) {
      assert.equal(decodeParameterDescription(message, 0, cut), undefined);
    }
  });

  it('ParameterStatus gives name and value', () => {
    const message = encodeFrame(serverMessage.parameterStatus, Buffer.from('TimeZone\0UTC\0'));
    assert.deepEqual(decodeParameterStatus(...placed(message)), { name: 'TimeZone', value: 'UTC' });
    assert.equal(decodeParameterStatus(message, 0, 16), undefined);
    assert.equal(decodeParameterStatus(message, 0, 8), undefined);
  });

  it('ReadyForQuery gives the transaction status', () => {
    for (const status of ['I', 'T', 'E']) {
      const message = encodeFrame(serverMessage.readyForQuery, Buffer.from(status));
      assert.equal(decodeReadyForQuery(message, 0), status);
    }
    assert.equal(decodeReadyForQuery(encodeFrame(0x5a, Buffer.from('?')), 0), undefined);
  });

  it('CommandComplete carries a tag', () => {
    assert.equal(encodeCommandComplete('SHOW').toString('latin1'), 'C\0\0\0\x09SHOW\0');
  });

  it('AuthenticationSASL loses what binds to a channel, and nothing else', () => {
    const sasl = (...mechanisms: readonly string[]): Buffer =>
      encodeFrame(
        serverMessage.authentication,
        Buffer.from([0, 0, 0, 10]),
        Buffer.from(mechanisms.map((mechanism) => `${mechanism}\0`).join('')),
        nul,
      );
    const both = sasl('SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256');
    assert.deepEqual(withoutChannelBinding(...placed(both)), sasl('SCRAM-SHA-256'));
    for (const kept of [sasl('SCRAM-SHA-256'), sasl('SCRAM-SHA-256-PLUS'), sasl()]) {
      assert.equal(withoutChannelBinding(...placed(kept)), undefined);
    }
    const ok = encodeFrame(serverMessage.authentication, Buffer.alloc(4));
    assert.equal(withoutChannelBinding(...placed(ok)), undefined);
  });
});

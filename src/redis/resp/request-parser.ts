import {
  redisArgumentsMax,
  redisBulkBytesMax,
  redisLineBytesMax,
  redisRequestBytesMax,
  redisUnauthenticatedArgumentsMax,
  redisUnauthenticatedBulkBytesMax,
} from '../../core/limits.ts';
import { splitInlineRequest } from './inline-request.ts';

/** What the bytes turned out to be. After a violation there is nothing more to be read. */
export type Parsed =
  | { readonly kind: 'request'; readonly args: readonly Buffer[] }
  /** Worded as Redis words it. */
  | { readonly kind: 'violation'; readonly reason: string };

type Line = { readonly kind: 'line'; readonly text: string } | 'hungry' | 'too-long';

const asterisk = 0x2a;
const dollar = 0x24;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const smallBytes = 4 * 1024;

/**
 * Finds requests in the bytes of a client: arrays of bulk strings, and inline commands. Takes one
 * request at a time, so that the limits of a client that has just authenticated are the new ones.
 */
export class RequestParser {
  readonly #isAuthenticated: () => boolean;
  #bytes: Buffer = Buffer.allocUnsafe(smallBytes);
  #start = 0;
  #end = 0;
  /** Bytes from the start that are known to hold no line end, so that none is searched twice. */
  #searched = 0;
  #args: Buffer[] = [];
  #argsToCome = 0;
  #argBytes = 0;
  #bulkBytes: number | undefined;
  #violation: Parsed | undefined;

  constructor(isAuthenticated: () => boolean) {
    this.#isAuthenticated = isAuthenticated;
  }

  /** What is kept: requests not taken yet, and the beginning of one. */
  get bufferedBytes(): number {
    return this.#end - this.#start + this.#argBytes;
  }

  push(chunk: Buffer): void {
    const kept = this.#end - this.#start;
    if (this.#end + chunk.length > this.#bytes.length) {
      const needed = kept + chunk.length;
      if (needed > this.#bytes.length) {
        // Doubled, so that a long argument that comes byte by byte is not copied for each byte.
        const grown = Buffer.allocUnsafe(2 * needed);
        this.#bytes.copy(grown, 0, this.#start, this.#end);
        this.#bytes = grown;
      } else this.#bytes.copyWithin(0, this.#start, this.#end);
      this.#start = 0;
      this.#end = kept;
    }
    chunk.copy(this.#bytes, this.#end);
    this.#end += chunk.length;
  }

  /** The next request; undefined when its bytes have not come yet. */
  next(): Parsed | undefined {
    while (this.#violation === undefined) {
      if (this.#start === this.#end) {
        this.#forget();
        return undefined;
      }
      const step = this.#step();
      if (step === 'hungry') return undefined;
      if (step !== 'go-on') return step;
    }
    return this.#violation;
  }

  /** A long request must not keep its room for as long as the client is there. */
  #forget(): void {
    this.#start = 0;
    this.#end = 0;
    this.#searched = 0;
    if (this.#bytes.length > smallBytes) this.#bytes = Buffer.allocUnsafe(smallBytes);
  }

  #step(): Parsed | 'hungry' | 'go-on' {
    if (this.#argsToCome === 0) {
      return this.#bytes[this.#start] === asterisk ? this.#arrayHeader() : this.#inline();
    }
    return this.#bulkBytes === undefined ? this.#bulkHeader() : this.#bulk(this.#bulkBytes);
  }

  #inline(): Parsed | 'hungry' | 'go-on' {
    const line = this.#line();
    if (line === 'hungry') return 'hungry';
    if (line === 'too-long') return this.#violate('too big inline request');
    const args = splitInlineRequest(line.text);
    if (args === undefined) return this.#violate('unbalanced quotes in request');
    return args.length === 0 ? 'go-on' : { kind: 'request', args };
  }

  #arrayHeader(): Parsed | 'hungry' | 'go-on' {
    const line = this.#line();
    if (line === 'hungry') return 'hungry';
    if (line === 'too-long') return this.#violate('too big mbulk count string');
    const count = parseLength(line.text.slice(1));
    if (count === undefined || count > redisArgumentsMax) {
      return this.#violate('invalid multibulk length');
    }
    if (count > redisUnauthenticatedArgumentsMax && !this.#isAuthenticated()) {
      return this.#violate('unauthenticated multibulk length');
    }
    this.#argsToCome = Math.max(0, count);
    return 'go-on';
  }

  #bulkHeader(): Parsed | 'hungry' | 'go-on' {
    const first = this.#bytes[this.#start]!;
    const line = this.#line();
    if (line === 'hungry') return 'hungry';
    if (line === 'too-long') return this.#violate('too big bulk count string');
    if (first !== dollar) return this.#violate(`expected '$', got '${printByte(first)}'`);
    const length = parseLength(line.text.slice(1));
    if (length === undefined || length < 0 || length > redisBulkBytesMax) {
      return this.#violate('invalid bulk length');
    }
    if (length > redisUnauthenticatedBulkBytesMax && !this.#isAuthenticated()) {
      return this.#violate('unauthenticated bulk length');
    }
    if (this.#argBytes + length > redisRequestBytesMax) return this.#violate('too big request');
    this.#bulkBytes = length;
    return 'go-on';
  }

  #bulk(length: number): Parsed | 'hungry' | 'go-on' {
    const end = this.#start + length;
    // Two bytes follow it, which Redis does not look at either.
    if (end + 2 > this.#end) return 'hungry';
    this.#args.push(Buffer.from(this.#bytes.subarray(this.#start, end)));
    this.#argBytes += length;
    this.#argsToCome -= 1;
    this.#bulkBytes = undefined;
    this.#skipTo(end + 2);
    if (this.#argsToCome > 0) return 'go-on';
    const args = this.#args;
    this.#args = [];
    this.#argBytes = 0;
    return { kind: 'request', args };
  }

  /** Takes a line, its end not included. */
  #line(): Line {
    const at = this.#bytes.subarray(0, this.#end).indexOf(lineFeed, this.#start + this.#searched);
    const length = (at === -1 ? this.#end : at) - this.#start;
    if (length > redisLineBytesMax) return 'too-long';
    if (at === -1) {
      this.#searched = length;
      return 'hungry';
    }
    const isWindowsEnd = at > this.#start && this.#bytes[at - 1] === carriageReturn;
    const text = this.#bytes.toString('latin1', this.#start, isWindowsEnd ? at - 1 : at);
    this.#skipTo(at + 1);
    return { kind: 'line', text };
  }

  #skipTo(offset: number): void {
    this.#start = offset;
    this.#searched = 0;
  }

  #violate(reason: string): Parsed {
    this.#violation = { kind: 'violation', reason };
    this.#forget();
    return this.#violation;
  }
}

/** A number as Redis reads it in a header. */
function parseLength(text: string): number | undefined {
  return /^(?:0|-?[1-9][0-9]{0,14})$/.test(text) ? Number(text) : undefined;
}

function printByte(byte: number): string {
  const isPrintable = byte >= 0x20 && byte < 0x7f;
  return isPrintable ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
}

/** Which protocol a client speaks; 3 after HELLO 3. */
export type RespVersion = 2 | 3;

/** An answer, still without a protocol: maps, sets, nulls and texts differ between the two. */
export type Reply =
  | { readonly kind: 'simple'; readonly text: string }
  /** The whole line: `ERR syntax error`. */
  | { readonly kind: 'error'; readonly line: string }
  | { readonly kind: 'integer'; readonly value: number | bigint }
  | { readonly kind: 'bulk'; readonly content: string | Buffer }
  /** Text for people, which RESP3 marks as such. */
  | { readonly kind: 'verbatim'; readonly content: string }
  /** No value. */
  | { readonly kind: 'null' }
  /** No list; in RESP3 the same as no value. */
  | { readonly kind: 'null-array' }
  | { readonly kind: 'array'; readonly items: readonly Reply[] }
  | { readonly kind: 'set'; readonly items: readonly Reply[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [Reply, Reply])[] }
  /** By key, which RESP2 shows as pairs in an array of their own instead of a flat one. */
  | { readonly kind: 'keyed'; readonly entries: readonly (readonly [Reply, Reply])[] }
  /** Bytes of one reply that is the same in both protocols. */
  | { readonly kind: 'encoded'; readonly part: Buffer }
  /** Bytes of `items` such replies. */
  | { readonly kind: 'encoded-array'; readonly items: number; readonly parts: readonly Buffer[] };

export const ok: Reply = { kind: 'simple', text: 'OK' };
export const nothing: Reply = { kind: 'null' };
export const emptyArray: Reply = { kind: 'array', items: [] };

export function bulk(content: string | Buffer): Reply {
  return { kind: 'bulk', content };
}

export function integer(value: number | bigint): Reply {
  return { kind: 'integer', value };
}

export function bulks(contents: readonly (string | Buffer)[]): Reply {
  return { kind: 'array', items: contents.map(bulk) };
}

/** A map with names as keys. */
export function map(fields: Readonly<Record<string, Reply>>): Reply {
  return {
    kind: 'map',
    entries: Object.entries(fields).map(([name, value]) => [bulk(name), value] as const),
  };
}

/** Appends the bytes of a reply to `to`. */
export function encodeReply(reply: Reply, version: RespVersion, to: Buffer[]): void {
  switch (reply.kind) {
    case 'simple':
      to.push(Buffer.from(`+${reply.text}\r\n`));
      return;
    case 'error':
      // One line, whatever a message quotes.
      to.push(Buffer.from(`-${reply.line.replaceAll(/[\r\n]/g, ' ')}\r\n`));
      return;
    case 'integer':
      to.push(Buffer.from(`:${reply.value}\r\n`));
      return;
    case 'bulk':
      encodeBulk(reply.content, to);
      return;
    case 'verbatim':
      encodeVerbatim(reply.content, version, to);
      return;
    case 'null':
      to.push(Buffer.from(version === 3 ? '_\r\n' : '$-1\r\n'));
      return;
    case 'null-array':
      to.push(Buffer.from(version === 3 ? '_\r\n' : '*-1\r\n'));
      return;
    case 'array':
    case 'set':
      to.push(head(reply.kind === 'set' && version === 3 ? '~' : '*', reply.items.length));
      for (const item of reply.items) encodeReply(item, version, to);
      return;
    case 'map':
    case 'keyed':
      encodeEntries(reply, version, to);
      return;
    case 'encoded':
      to.push(reply.part);
      return;
    case 'encoded-array':
      to.push(head('*', reply.items), ...reply.parts);
      return;
  }
}

function encodeEntries(
  { kind, entries }: Extract<Reply, { kind: 'map' | 'keyed' }>,
  version: RespVersion,
  to: Buffer[],
): void {
  if (version === 3) to.push(head('%', entries.length));
  else to.push(head('*', kind === 'map' ? 2 * entries.length : entries.length));
  for (const [key, value] of entries) {
    if (version === 2 && kind === 'keyed') to.push(head('*', 2));
    encodeReply(key, version, to);
    encodeReply(value, version, to);
  }
}

/** A bulk string. */
export function encodeBulk(content: string | Buffer, to: Buffer[]): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  to.push(head('$', bytes.length), bytes, lineEnd);
}

const lineEnd = Buffer.from('\r\n');

function encodeVerbatim(content: string, version: RespVersion, to: Buffer[]): void {
  if (version === 2) {
    encodeBulk(content, to);
    return;
  }
  const bytes = Buffer.from(`txt:${content}`);
  to.push(head('=', bytes.length), bytes, lineEnd);
}

function head(mark: string, count: number): Buffer {
  return Buffer.from(`${mark}${count}\r\n`);
}

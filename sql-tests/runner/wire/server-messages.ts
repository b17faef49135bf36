import { BodyReader } from './body-reader.ts';
import type { Frame } from './frames.ts';

/** One column of a RowDescription, with every field the server sends. */
export type Field = {
  readonly name: string;
  readonly tableOid: number;
  readonly attribute: number;
  readonly typeOid: number;
  readonly typeSize: number;
  readonly typeModifier: number;
  readonly format: number;
};

/** The fields of an ErrorResponse or NoticeResponse by their one-letter codes. */
export type ReportFields = ReadonlyMap<string, string>;

type Bare =
  | 'AuthenticationOk'
  | 'ParseComplete'
  | 'BindComplete'
  | 'CloseComplete'
  | 'NoData'
  | 'PortalSuspended'
  | 'EmptyQueryResponse'
  | 'CopyDone'
  | 'ConnectionClosed';

/** What a server says, plus `ConnectionClosed` for the end of the stream. */
export type ServerMessage =
  | { readonly kind: Bare }
  | { readonly kind: 'BackendKeyData'; readonly processId: number; readonly secret: Buffer }
  | { readonly kind: 'ParameterStatus'; readonly name: string; readonly value: string }
  | { readonly kind: 'ReadyForQuery'; readonly status: string }
  | { readonly kind: 'RowDescription'; readonly fields: readonly Field[] }
  | { readonly kind: 'DataRow'; readonly values: readonly (Buffer | null)[] }
  | { readonly kind: 'CommandComplete'; readonly tag: string }
  | { readonly kind: 'ParameterDescription'; readonly types: readonly number[] }
  | { readonly kind: 'ErrorResponse'; readonly fields: ReportFields }
  | { readonly kind: 'NoticeResponse'; readonly fields: ReportFields }
  | {
      readonly kind: 'CopyInResponse' | 'CopyOutResponse' | 'CopyBothResponse';
      readonly format: number;
      readonly columnFormats: readonly number[];
    }
  | { readonly kind: 'CopyData'; readonly data: Buffer }
  | {
      readonly kind: 'NotificationResponse';
      readonly processId: number;
      readonly channel: string;
      readonly payload: string;
    }
  | { readonly kind: 'Other'; readonly type: string; readonly body: Buffer };

const bareTypes: ReadonlyMap<string, Bare> = new Map([
  ['1', 'ParseComplete'],
  ['2', 'BindComplete'],
  ['3', 'CloseComplete'],
  ['n', 'NoData'],
  ['s', 'PortalSuspended'],
  ['I', 'EmptyQueryResponse'],
  ['c', 'CopyDone'],
]);

/**
 * Decodes one server message. `pg-protocol` would not do: it turns binary values into text and
 * drops fields of errors, and this client has to see every byte.
 */
export function decodeServerMessage(frame: Frame, encoding: BufferEncoding): ServerMessage {
  const bare = bareTypes.get(frame.type);
  if (bare !== undefined) return { kind: bare };
  const body = new BodyReader(frame.body, encoding);
  switch (frame.type) {
    case 'R':
      return body.int32() === 0
        ? { kind: 'AuthenticationOk' }
        : { kind: 'Other', type: frame.type, body: frame.body };
    case 'K':
      return {
        kind: 'BackendKeyData',
        processId: body.int32(),
        secret: body.bytes(frame.body.length - 4),
      };
    case 'S':
      return { kind: 'ParameterStatus', name: body.text(), value: body.text() };
    case 'Z':
      return { kind: 'ReadyForQuery', status: String.fromCharCode(body.byte()) };
    case 'T':
      return { kind: 'RowDescription', fields: repeat(body.int16(), () => field(body)) };
    case 'D':
      return { kind: 'DataRow', values: repeat(body.int16(), () => value(body)) };
    case 'C':
      return { kind: 'CommandComplete', tag: body.text() };
    case 't':
      return { kind: 'ParameterDescription', types: repeat(body.int16(), () => body.oid()) };
    case 'E':
      return { kind: 'ErrorResponse', fields: reportFields(body) };
    case 'N':
      return { kind: 'NoticeResponse', fields: reportFields(body) };
    case 'G':
      return { kind: 'CopyInResponse', ...copyFormats(body) };
    case 'H':
      return { kind: 'CopyOutResponse', ...copyFormats(body) };
    case 'W':
      return { kind: 'CopyBothResponse', ...copyFormats(body) };
    case 'd':
      return { kind: 'CopyData', data: frame.body };
    case 'A':
      return {
        kind: 'NotificationResponse',
        processId: body.int32(),
        channel: body.text(),
        payload: body.text(),
      };
    default:
      return { kind: 'Other', type: frame.type, body: frame.body };
  }
}

function repeat<T>(count: number, read: () => T): T[] {
  return Array.from({ length: count }, read);
}

function field(body: BodyReader): Field {
  return {
    name: body.text(),
    tableOid: body.oid(),
    attribute: body.int16(),
    typeOid: body.oid(),
    typeSize: body.int16(),
    typeModifier: body.int32(),
    format: body.int16(),
  };
}

function value(body: BodyReader): Buffer | null {
  const length = body.int32();
  return length === -1 ? null : body.bytes(length);
}

function reportFields(body: BodyReader): ReportFields {
  const fields = new Map<string, string>();
  for (let code = body.byte(); code !== 0; code = body.byte()) {
    fields.set(String.fromCharCode(code), body.text());
  }
  return fields;
}

function copyFormats(body: BodyReader): { format: number; columnFormats: number[] } {
  return { format: body.byte(), columnFormats: repeat(body.int16(), () => body.int16()) };
}

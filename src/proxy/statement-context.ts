import type { ErrorFields, ErrorRewrite, EventsRead, HintOnly } from '../contracts/rewriter.ts';
import type { TextCoding } from '../protocol/client-encoding.ts';
import {
  decodeResponseFields,
  encodeErrorResponse,
  encodeNoticeResponse,
  type ResponseFields,
} from '../protocol/error-response.ts';
import { serverMessage } from '../protocol/message-types.ts';
import type { PositionTranslator } from './position-map.ts';

/** What has to be known of a rewritten text to word its responses for the client. */
export type StatementContext = {
  readonly coding: TextCoding;
  readonly translator: PositionTranslator;
  readonly errors: readonly ErrorRewrite[];
  readonly tags: readonly { readonly statement: number; readonly tag: string }[];
  /** Of a text that reads the change log. */
  readonly events?: StatementEvents;
  /** What remembering it takes; `trackedWeightMax` for all of a session. */
  readonly weight: number;
  /** An error the backend has given already: it takes the place of whatever comes. */
  readonly given?: ResponseFields;
};

/** What of the change log a text reads, and what has to be known to execute it. */
export type StatementEvents = {
  readonly reads: readonly EventsRead[];
  /** Declared in Parse, by OID. */
  readonly parameterTypes: readonly number[];
  /** How the errors of the client's WHERE are worded, by the read it belongs to. */
  readonly wording: (read: EventsRead) => StatementContext | undefined;
  /** It is that of a portal, and not of a Query. */
  readonly isBound?: boolean;
  /** The Bind of the portal, whole; none when that was too long to be kept. */
  readonly bind?: Buffer;
  /** The name of the statement the portal is of. */
  readonly statement?: string;
};

/** Fields that would speak of generated SQL or of our own source. */
const generatedFields = ['s', 't', 'c', 'd', 'n', 'p', 'q', 'F', 'L', 'R'] as const;

/**
 * An ErrorResponse or NoticeResponse as the client should see it. `refusal` is the SQLSTATE when an
 * error was worded by a rewrite. Undefined when there is nothing to change.
 */
export function rewordResponse(
  context: StatementContext,
  message: {
    readonly type: number;
    readonly bytes: Buffer;
    readonly start: number;
    readonly end: number;
  },
): { readonly bytes: Buffer; readonly refusal: string | undefined } | undefined {
  const fields = decodeResponseFields(message.bytes, message.start, message.end);
  if (fields === undefined) return undefined;
  if (message.type === serverMessage.noticeResponse) {
    if (!translatePosition(context, fields)) return undefined;
    return { bytes: encodeNoticeResponse(fields), refusal: undefined };
  }
  if (context.given !== undefined) {
    return { bytes: encodeErrorResponse(context.given), refusal: undefined };
  }
  const rewrite = context.errors.find((candidate) => fits(candidate, context, fields));
  if (rewrite !== undefined) {
    if (isHintOnly(rewrite.fields)) {
      fields.set('H', context.coding.encode(rewrite.fields.hint));
      translatePosition(context, fields);
      return { bytes: encodeErrorResponse(fields), refusal: undefined };
    }
    // What it was recognised by is not for the client to see.
    if (rewrite.when.contextIncludes !== undefined) fields.delete('W');
    const reworded = reword(context, fields, rewrite.fields);
    return { bytes: encodeErrorResponse(reworded), refusal: rewrite.fields.code };
  }
  if (!translatePosition(context, fields)) return undefined;
  return { bytes: encodeErrorResponse(fields), refusal: undefined };
}

/** An error of what the client did not write: without what speaks of that. */
export function rewordHidden(message: {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}): Buffer | undefined {
  const fields = decodeResponseFields(message.bytes, message.start, message.end);
  if (fields === undefined) return undefined;
  for (const field of hiddenFields) fields.delete(field);
  return encodeErrorResponse(fields);
}

const hiddenFields = ['P', 'W', 'p', 'q', 's', 't', 'c', 'd', 'n'] as const;

function translatePosition(context: StatementContext, fields: ResponseFields): boolean {
  const position = Number(fields.get('P')?.toString('latin1'));
  if (!Number.isInteger(position) || position < 1) return false;
  fields.set('P', Buffer.from(String(context.translator.fromSent(position))));
  return true;
}

function isHintOnly(fields: ErrorFields | HintOnly): fields is HintOnly {
  return !('code' in fields);
}

function fits({ when }: ErrorRewrite, context: StatementContext, fields: ResponseFields): boolean {
  if (fields.get('C')?.toString('latin1') !== when.code) return false;
  if (when.routine !== undefined && fields.get('R')?.toString('latin1') !== when.routine) {
    return false;
  }
  return (
    includes(context, fields.get('M'), when.messageIncludes) &&
    includes(context, fields.get('W'), when.contextIncludes)
  );
}

/** True too when nothing is asked for. */
function includes(
  context: StatementContext,
  field: Buffer | undefined,
  wanted: string | undefined,
): boolean {
  if (wanted === undefined) return true;
  if (field === undefined) return false;
  return (context.coding.decode(field) ?? field.toString('latin1')).includes(wanted);
}

function reword(
  context: StatementContext,
  fields: ResponseFields,
  wording: ErrorFields,
): ResponseFields {
  const { coding, translator } = context;
  const reworded: ResponseFields = new Map();
  const severity = fields.get('S');
  if (severity !== undefined) reworded.set('S', severity);
  const plainSeverity = fields.get('V');
  if (plainSeverity !== undefined) reworded.set('V', plainSeverity);
  reworded.set('C', coding.encode(wording.code));
  reworded.set('M', coding.encode(wording.message));
  if (wording.detail !== undefined) reworded.set('D', coding.encode(wording.detail));
  if (wording.hint !== undefined) reworded.set('H', coding.encode(wording.hint));
  if (wording.position !== undefined) {
    reworded.set('P', Buffer.from(String(translator.fromClient(wording.position))));
  }
  // A context that came with an internal query describes generated SQL.
  const where = fields.get('W');
  if (where !== undefined && !fields.has('q')) reworded.set('W', where);
  for (const [code, value] of fields) {
    if ('SVCMDHPW'.includes(code)) continue;
    if (!generatedFields.some((generated) => generated === code)) reworded.set(code, value);
  }
  return reworded;
}

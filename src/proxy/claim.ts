import { clientMessage } from '../protocol/message-types.ts';
import { locateParse, type ParseParts } from '../protocol/parse-message.ts';
import { locateQueryText } from '../protocol/query-message.ts';
import { extendedText, mayBeExtended } from '../sql/detect.ts';
import type { SessionContext } from './session-context.ts';

/** A whole Query or Parse message whose text may be ours. */
export type Claim = {
  /** The message as the client sent it. */
  readonly bytes: Buffer;
  readonly text: Buffer;
  /** Of a Parse; a Query has none. */
  readonly parse: ParseParts | undefined;
};

type WholeMessage = {
  readonly type: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
};

/** Undefined when the message goes to the backend as it is: the fast path. */
export function findClaim(context: SessionContext, message: WholeMessage): Claim | undefined {
  // While the backend skips or takes copy data it does not read the text at all.
  if (context.queue.isSkipping || context.queue.isCopyOpen) return undefined;
  const { type, start, end } = message;
  const parse = type === clientMessage.parse ? locateParse(message.bytes, start, end) : undefined;
  const where =
    type === clientMessage.parse
      ? parse && { from: parse.textFrom, to: parse.textTo }
      : locateQueryText(message.bytes, start, end);
  if (where === undefined) return undefined;
  // The words are ASCII, and so is what a word boundary means: latin1 finds them in any encoding.
  const text = message.bytes.toString('latin1', where.from, where.to);
  if (!mayBeExtended(text)) return undefined;
  // Most hits are SET SESSION and words in comments: they need no worker and wait for nothing.
  if (context.isStarted && extendedText(text, context) === null) return undefined;
  return {
    bytes: message.bytes.subarray(start, end),
    text: message.bytes.subarray(where.from, where.to),
    parse: parse && {
      nameFrom: parse.nameFrom - start,
      nameTo: parse.nameTo - start,
      textFrom: parse.textFrom - start,
      textTo: parse.textTo - start,
    },
  };
}

import { serialize } from 'pg-protocol';
import { encodeBind } from '../protocol/bind-message.ts';
import type { TextCoding } from '../protocol/client-encoding.ts';
import { encodeParse } from '../protocol/parse-message.ts';
import { PendingQuestion, type QuestionOutcome } from './pending-probe.ts';
import type { Entry } from './response-queue.ts';
import type { SessionContext } from './session-context.ts';
import type { StatementContext } from './statement-context.ts';

/** The name of the hidden statement and of its portal: no client chooses it. */
const questionName = `heliosdb_question_${process.pid.toString(36)}${Date.now().toString(36)}`;

const entries = [
  'probe-parse',
  'question-bind',
  'question-execute',
  'probe-close',
  'probe-close',
] as const;

export type Question = {
  readonly coding: TextCoding;
  readonly text: string;
  /** Declared types of the parameters, by OID. */
  readonly parameterTypes: readonly number[];
  /** Puts a Bind of the hidden statement and portal together. */
  readonly bind: (name: string) => Buffer;
  /** How an error is worded for the client; undefined: as the backend words it. */
  readonly statement: StatementContext | undefined;
};

/**
 * Has the backend run a statement whose rows go to the client; its CommandComplete does not. The
 * outcome is `answered` without a value.
 *
 * @param rows.statement the text to prepare; undefined: `bind` names a statement that is there
 * @param rows.isDescribed its RowDescription goes to the client too
 */
export function exchangeRows(
  context: SessionContext,
  rows: {
    readonly text: Buffer | undefined;
    readonly isDescribed: boolean;
    readonly bind: (name: string) => Buffer;
    readonly wording: StatementContext | undefined;
  },
): Promise<QuestionOutcome> {
  const { queue, wires } = context;
  const name = questionName;
  const question = new PendingQuestion();
  const note = { kind: 'question', question, context: rows.wording } as const;
  const messages: Buffer[] = [];
  const add = (entry: Entry, message: Buffer): void => {
    queue.sent(entry, note);
    messages.push(message);
  };
  const { text } = rows;
  const parse = rows.isDescribed ? 'follow-parse' : 'probe-parse';
  if (text !== undefined) {
    queue.sent('probe-close');
    messages.push(serialize.close({ type: 'S', name }));
  }
  if (text !== undefined) add(parse, encodeParse({ name, text, parameterTypes: [] }));
  if (rows.isDescribed) add('follow-describe', serialize.describe({ type: 'S', name }));
  add('question-bind', rows.bind(name));
  add('follow-rows', serialize.execute({ portal: name }));
  add('probe-close', serialize.close({ type: 'P', name }));
  if (text !== undefined) add('probe-close', serialize.close({ type: 'S', name }));
  wires.toServer(Buffer.concat([...messages, serialize.flush()]));
  return question.outcome;
}

/**
 * Has the backend run what the client sent as a Query of one statement, so that the client is
 * answered as if it had, within the transaction that hidden questions have begun and to its end.
 * After an Execute a Query of one statement would leave that open (Postgres 17 and newer).
 */
export function sendInsteadOfQuery(
  { queue, wires }: SessionContext,
  sent: { readonly text: Buffer; readonly context: StatementContext },
): void {
  const name = questionName;
  const { text, context } = sent;
  const note = { kind: 'execute', context } as const;
  queue.sent('probe-close');
  queue.sent('follow-parse', note);
  queue.sent('follow-describe', note);
  queue.sent('question-bind', note);
  queue.sent('execute', note);
  queue.sent('probe-close');
  queue.sent('probe-close');
  queue.sent('sync');
  wires.toServer(
    Buffer.concat([
      serialize.close({ type: 'S', name }),
      encodeParse({ name, text, parameterTypes: [] }),
      serialize.describe({ type: 'S', name }),
      encodeBind({ portal: name, statement: name, values: [] }),
      serialize.execute({ portal: name }),
      serialize.close({ type: 'P', name }),
      serialize.close({ type: 'S', name }),
      serialize.sync(),
    ]),
  );
}

/**
 * Asks the backend for one value, unseen by the client (session-protocol.md, invariant 13). There
 * is no Sync: what follows belongs to the same transaction. Its error is the client's answer, at
 * the step where what was asked for would have failed.
 */
export function exchangeQuestion(
  context: SessionContext,
  asked: Question,
): Promise<QuestionOutcome> {
  const { queue, wires } = context;
  const name = questionName;
  const text = asked.coding.encode(asked.text);
  const { parameterTypes } = asked;
  const question = new PendingQuestion();
  const note = { kind: 'question', question, context: asked.statement } as const;
  // One that failed before could not be closed.
  queue.sent('probe-close');
  for (const entry of entries) queue.sent(entry, note);
  wires.toServer(
    Buffer.concat([
      serialize.close({ type: 'S', name }),
      encodeParse({ name, text, parameterTypes }),
      asked.bind(name),
      serialize.execute({ portal: name }),
      serialize.close({ type: 'P', name }),
      serialize.close({ type: 'S', name }),
      serialize.flush(),
    ]),
  );
  return question.outcome;
}

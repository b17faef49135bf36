import { serverMessage } from '../protocol/message-types.ts';

/** What the backend owes next. Rows of the table in session-protocol.md. */
export const expectations = [
  'idle',
  'startup',
  'query',
  'query-copy-in',
  'parse',
  'bind',
  'describe-statement',
  'describe-portal',
  'execute',
  'execute-copy-in',
  'close',
  'sync',
  'function-call',
  'probe-parse',
  'probe-describe',
  'probe-close',
  'survey',
  'question-bind',
  'question-execute',
  'follow-parse',
  'follow-describe',
  'follow-rows',
] as const;
export type Expectation = (typeof expectations)[number];

/** What the response queue and the forwarding do. Cells of the table in session-protocol.md. */
export type Action =
  | 'keep'
  | 'pop'
  | 'skip'
  | 'ready'
  | 'heal'
  | 'copy-in'
  | 'copy-out-of-in'
  | 'hide'
  | 'hide-pop'
  | 'hide-ready'
  | 'odd';

/** What the backend may send. Columns of the table. */
export type ServerEvent = keyof typeof serverMessage;

/** The columns in the order in which the rows below are written. */
export const columns = [
  'parseComplete',
  'bindComplete',
  'closeComplete',
  'parameterDescription',
  'rowDescription',
  'noData',
  'dataRow',
  'commandComplete',
  'emptyQueryResponse',
  'portalSuspended',
  'copyInResponse',
  'copyOutResponse',
  'copyBothResponse',
  'copyData',
  'copyDone',
  'errorResponse',
  'readyForQuery',
  'functionCallResponse',
  'authentication',
  'backendKeyData',
  'negotiateProtocolVersion',
  'noticeResponse',
  'notificationResponse',
  'parameterStatus',
] as const;

/** A row has exactly as many cells as there are columns, or it does not compile. */
type RowOf<Columns extends readonly ServerEvent[]> = {
  readonly [Column in keyof Columns]: Action;
};
/** `never`, which no row fits, when a server message has no column. */
type Row = ServerEvent extends (typeof columns)[number] ? RowOf<typeof columns> : never;

// One letter a cell, so that the table below can be read by its columns.
const k = 'keep';
const p = 'pop';
const s = 'skip';
const r = 'ready';
const h = 'heal';
const g = 'copy-in';
const b = 'copy-out-of-in';
const x = 'hide';
const y = 'hide-pop';
const z = 'hide-ready';
const o = 'odd';

// biome-ignore format: a table is read by its columns
const rows: Record<Expectation, Row> = {
  //                     1  2  3  t  T  n  D  C  I  s  G  H  W  d  c  E  Z  V  R  K  v  N  A  S
  'idle':               [o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, k, h, o, o, o, o, k, k, k],
  'startup':            [o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, k, r, o, k, k, k, k, k, k],
  'query':              [o, o, o, o, k, o, k, k, k, o, g, k, k, k, k, k, r, o, o, o, o, k, k, k],
  'query-copy-in':      [o, o, o, o, o, o, o, b, o, o, o, o, o, o, o, b, r, o, o, o, o, k, k, k],
  'parse':              [p, o, o, o, o, o, o, o, o, o, o, o, o, o, o, s, h, o, o, o, o, k, k, k],
  'bind':               [o, p, o, o, o, o, o, o, o, o, o, o, o, o, o, s, h, o, o, o, o, k, k, k],
  'describe-statement': [o, o, o, k, p, p, o, o, o, o, o, o, o, o, o, s, h, o, o, o, o, k, k, k],
  'describe-portal':    [o, o, o, o, p, p, o, o, o, o, o, o, o, o, o, s, h, o, o, o, o, k, k, k],
  'execute':            [o, o, o, o, o, o, k, p, p, p, g, k, k, k, k, s, h, o, o, o, o, k, k, k],
  'execute-copy-in':    [o, o, o, o, o, o, o, p, o, o, o, o, o, o, o, s, h, o, o, o, o, k, k, k],
  'close':              [o, o, p, o, o, o, o, o, o, o, o, o, o, o, o, s, h, o, o, o, o, k, k, k],
  'sync':               [o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, k, r, o, o, o, o, k, k, k],
  'function-call':      [o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, k, r, k, o, o, o, k, k, k],
  'probe-parse':        [y, o, o, o, o, o, o, o, o, o, o, o, o, o, o, s, h, o, o, o, o, x, k, k],
  'probe-describe':     [o, o, o, x, y, y, o, o, o, o, o, o, o, o, o, s, h, o, o, o, o, x, k, k],
  'probe-close':        [o, o, y, o, o, o, o, o, o, o, o, o, o, o, o, s, h, o, o, o, o, x, k, k],
  'survey':             [x, x, x, o, o, o, x, x, o, o, o, o, o, o, o, x, z, o, o, o, o, x, k, k],
  'question-bind':      [o, y, o, o, o, o, o, o, o, o, o, o, o, o, o, s, h, o, o, o, o, x, k, k],
  'question-execute':   [o, o, o, o, o, o, x, y, y, y, o, o, o, o, o, s, h, o, o, o, o, x, k, k],
  'follow-parse':       [y, o, o, o, o, o, o, o, o, o, o, o, o, o, o, s, h, o, o, o, o, k, k, k],
  'follow-describe':    [o, o, o, x, p, y, o, o, o, o, o, o, o, o, o, s, h, o, o, o, o, k, k, k],
  'follow-rows':        [o, o, o, o, o, o, k, y, y, y, o, o, o, o, o, s, h, o, o, o, o, k, k, k],
};

/** The table by names. */
export const transitions: Record<Expectation, Record<ServerEvent, Action>> = Object.fromEntries(
  expectations.map((expectation) => [
    expectation,
    Object.fromEntries(columns.map((column, i) => [column, rows[expectation][i]])),
  ]),
) as Record<Expectation, Record<ServerEvent, Action>>;

/** The table by expectation number and type byte: one array read per message. */
const byNumber: readonly Action[] = expectations.flatMap((expectation) => {
  const cells = new Array<Action>(256).fill('odd');
  for (const column of columns) {
    cells[serverMessage[column]] = transitions[expectation][column];
  }
  return cells;
});

/** What to do with a server message of this type; an unknown type is odd. */
export function actionFor(expectationNumber: number, type: number): Action {
  return byNumber[(expectationNumber << 8) | type] ?? 'odd';
}

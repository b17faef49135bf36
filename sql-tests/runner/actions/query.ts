import type { Block } from '../format/block.ts';
import { Mismatch } from '../format/test-failure.ts';
import { anyValue, printValue } from '../format/values.ts';
import type { Action, RunContext } from '../run-context.ts';
import { printColumn } from '../transcript.ts';
import type { Field, ServerMessage } from '../wire/server-messages.ts';
import { requireSuccess } from './statement.ts';

type DataRow = Extract<ServerMessage, { kind: 'DataRow' }>;

const rowSort = 'rowsort';

/** `query name:type ... [rowsort]`: columns with their types, and rows. */
export const query: Action = async (run, block, argument) => {
  const isSorted = argument === rowSort || argument.endsWith(` ${rowSort}`);
  run.lastQuery = undefined;
  const answered = await run.execute(block.body);
  const messages = isSorted ? sortRows(answered) : answered;
  const fields = messages.find((message) => message.kind === 'RowDescription')?.fields;
  const rows = messages.filter((message) => message.kind === 'DataRow');
  const printed = rows.map((row) => printRow(row, fields ?? [], run));
  run.observe(block, maskRows(messages, block.expected ?? [], printed));
  requireSuccess(messages);
  if (fields === undefined) throw new Mismatch('the statement returns no rows');
  run.lastQuery = { messages, isSorted };
  const columns = fields.map((field) => printColumn(field, run.types));
  const head = ['query', ...columns, ...(isSorted ? [rowSort] : [])].join(' ');
  run.expect(block, printed, { expected: block.head, actual: head });
};

/**
 * `$ by-hand`: plain SQL that must give what the query before it gave, in its columns, their types
 * and its rows. So what a test expects of a window is not what the product printed.
 */
export const byHand: Action = async (run, block: Block) => {
  const last = run.lastQuery;
  if (last === undefined) throw new Mismatch('no query that succeeded comes before this');
  const answered = await run.execute(block.body);
  requireSuccess(answered);
  const plain = answered.filter(isResult);
  const expected = describeResult(last.isSorted ? sortRows(plain) : plain, run);
  const actual = describeResult(last.messages.filter(isResult), run);
  for (let at = 0; at < Math.max(expected.length, actual.length); at += 1) {
    if (expected[at] === actual[at]) continue;
    const [wanted, got] = [expected[at] ?? 'nothing more', actual[at] ?? 'nothing more'];
    throw new Mismatch(
      `the query above differs at its row ${at}\n  by hand ${wanted}\n  query   ${got}`,
    );
  }
};

function isResult({ kind }: ServerMessage): boolean {
  return kind === 'RowDescription' || kind === 'DataRow';
}

function describeResult(messages: readonly ServerMessage[], run: RunContext): string[] {
  let fields: readonly Field[] = [];
  return messages.map((message) => {
    if (message.kind === 'DataRow') return printRow(message, fields, run);
    if (message.kind !== 'RowDescription') return message.kind;
    fields = message.fields;
    return fields
      .map((field) => `${printColumn(field, run.types)}(${field.typeModifier})`)
      .join(' ');
  });
}

function printRow(row: DataRow, fields: readonly Field[], run: RunContext): string {
  if (row.values.length === 0) return '(no columns)';
  const { encoding } = run.session.connection.write;
  return row.values
    .map((value, index) => printValue(value, { binary: fields[index]?.format === 1, encoding }))
    .join('\t');
}

function sortRows(messages: readonly ServerMessage[]): ServerMessage[] {
  const rows = messages.filter((message) => message.kind === 'DataRow');
  const sorted = rows.toSorted((a, b) => (rowKey(a) < rowKey(b) ? -1 : 1)).values();
  return messages.map((message) =>
    message.kind === 'DataRow' ? (sorted.next().value ?? message) : message,
  );
}

function rowKey(row: DataRow): string {
  return row.values.map((value) => value?.toString('latin1') ?? 'NULL').join('\t');
}

/** Values a test calls `<any>` are not compared between two servers either. */
function maskRows(
  messages: readonly ServerMessage[],
  expected: readonly string[],
  printed: readonly string[],
): ServerMessage[] {
  let at = -1;
  return messages.map((message) => {
    if (message.kind !== 'DataRow') return message;
    at += 1;
    const wanted = expected[at]?.split('\t') ?? [];
    if (printed[at] === undefined || !wanted.some((cell) => cell.includes(anyValue)))
      return message;
    const values = message.values.map((value, index) =>
      wanted[index]?.includes(anyValue) === true ? Buffer.from(anyValue) : value,
    );
    return { ...message, values };
  });
}

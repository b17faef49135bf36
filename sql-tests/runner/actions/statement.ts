import type { Block } from '../format/block.ts';
import { Mismatch } from '../format/test-failure.ts';
import { printText } from '../format/values.ts';
import { type Action, lineMatches, type RunContext } from '../run-context.ts';
import { printReport } from '../transcript.ts';
import type { ReportFields, ServerMessage } from '../wire/server-messages.ts';

/** `statement ok`, `statement count N`, `statement stdout` and `statement error CODE`. */
export const statement: Action = async (run, block, argument) => {
  const [outcome = '', detail] = argument.split(' ');
  if (outcome === 'error' && detail === undefined && !run.isUpdating) {
    throw new Mismatch('"statement error" must name the SQLSTATE, as in "statement error 42601"');
  }
  if (!['ok', 'count', 'stdout', 'error'].includes(outcome)) {
    throw new Mismatch(`"statement ${argument}" is none of ok, count N, stdout, error CODE`);
  }
  const messages = await run.execute(block.body);
  if (outcome === 'error') {
    expectError(run, block, messages, detail);
    return;
  }
  run.observe(block, messages);
  requireSuccess(messages);
  if (outcome === 'count') requireCount(messages, Number(detail));
  if (outcome === 'stdout') run.expect(block, copiedLines(messages));
};

/** Fails with the server's own words when there is an error among the messages. */
export function requireSuccess(messages: readonly ServerMessage[]): void {
  for (const message of messages) {
    if (message.kind === 'ConnectionClosed') throw new Mismatch('the server closed the connection');
    if (message.kind !== 'ErrorResponse') continue;
    const said = printReport(message.fields).join('\n  ');
    throw new Mismatch(`unexpected error ${message.fields.get('C')}\n  ${said}`);
  }
}

function requireCount(messages: readonly ServerMessage[], count: number): void {
  const tag = messages.findLast((message) => message.kind === 'CommandComplete')?.tag ?? 'none';
  if (!tag.endsWith(` ${count}`)) throw new Mismatch(`expected ${count} rows, the tag is ${tag}`);
}

function copiedLines(messages: readonly ServerMessage[]): string[] {
  const chunks = messages.flatMap((message) => (message.kind === 'CopyData' ? [message.data] : []));
  const isBinary = messages.some(
    (message) => message.kind === 'CopyOutResponse' && message.format === 1,
  );
  if (isBinary) return chunks.map((chunk) => chunk.toString('hex'));
  const text = Buffer.concat(chunks).toString();
  return (text.endsWith('\n') ? text.slice(0, -1) : text)
    .split('\n')
    .map((line) => (line === '' ? '(empty)' : line));
}

function expectError(
  run: RunContext,
  block: Block,
  messages: readonly ServerMessage[],
  code: string | undefined,
): void {
  const found = messages.find((message) => message.kind === 'ErrorResponse');
  const fields = found?.fields ?? new Map<string, string>();
  const actual = printReport(fields);
  // A field marked "~" may differ between servers, so it is left out of the comparison of two.
  const loose = (block.expected ?? []).flatMap((line) => /^([A-Z]+)~: /.exec(line)?.[1] ?? []);
  run.observe(block, found === undefined ? messages : withoutFields(messages, loose));
  if (found === undefined) throw new Mismatch(`expected error ${code}, the statement succeeded`);
  const actualCode = fields.get('C') ?? '';
  const isWritten = block.expected !== undefined && !run.isOnlyObserved(block);
  if (run.isUpdating) {
    const expected = isWritten ? updatedFields(block.expected ?? [], fields, actual) : undefined;
    run.edits.push({
      block,
      head: `statement error ${actualCode}`,
      ...(expected === undefined ? {} : { expected }),
    });
    return;
  }
  if (actualCode !== code) {
    throw new Mismatch(`expected error ${code}, got ${actualCode}\n  ${actual.join('\n  ')}`);
  }
  if (isWritten) compareFields(block.expected ?? [], actual);
}

const letters: Readonly<Record<string, string>> = {
  MESSAGE: 'M',
  DETAIL: 'D',
  HINT: 'H',
  POSITION: 'P',
};

function withoutFields(
  messages: readonly ServerMessage[],
  names: readonly string[],
): ServerMessage[] {
  return messages.map((message) => {
    if (message.kind !== 'ErrorResponse') return message;
    const fields = new Map(message.fields);
    for (const name of names) fields.delete(letters[name] ?? name);
    return { ...message, fields };
  });
}

/** The lines a field of the error may be written as; `NAME~: part` asks for a part of it. */
function compareFields(expected: readonly string[], actual: readonly string[]): void {
  const matched = new Set<string>();
  for (const line of expected) {
    const field = /^([A-Z]+)(~?): (.*)$/.exec(line);
    const [, name = '', tilde, text = ''] = field ?? [];
    if (letters[name] === undefined) throw new Mismatch(`"${line}" is no field of an error`);
    const found = actual.find((each) => each.startsWith(`${name}: `));
    if (found === undefined) throw new Mismatch(`expected ${line}\n  got no ${name}`);
    const isSame =
      tilde === '~' ? found.slice(name.length + 2).includes(text) : lineMatches(line, found);
    if (!isSame) throw new Mismatch(`expected ${line}\n       got ${found}`);
    matched.add(found);
  }
  const surplus = actual.find((line) => !matched.has(line));
  if (surplus !== undefined) throw new Mismatch(`the error has more than is written: ${surplus}`);
}

function updatedFields(
  expected: readonly string[],
  fields: ReportFields,
  actual: readonly string[],
): string[] {
  return actual.map((line) => {
    const name = line.slice(0, line.indexOf(':'));
    const loose = expected.find((each) => each.startsWith(`${name}~: `));
    const text = printText(fields.get(letters[name] ?? '') ?? '');
    return loose !== undefined && text.includes(loose.slice(name.length + 3)) ? loose : line;
  });
}

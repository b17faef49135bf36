import type { Field, ServerMessage } from './wire/server-messages.ts';

type Cell = string | null;

/** Types whose values psql aligns to the right. */
const rightAligned: ReadonlySet<number> = new Set([20, 21, 23, 26, 700, 701, 790, 1700]);

/** The answer to a query as psql prints it: tables, command tags and errors. */
export function printAsPsql(sql: string, messages: readonly ServerMessage[]): string[] {
  const lines: string[] = [];
  let fields: readonly Field[] = [];
  let rows: Cell[][] = [];
  for (const message of messages) {
    switch (message.kind) {
      case 'RowDescription':
        fields = message.fields;
        rows = [];
        break;
      case 'DataRow':
        rows.push(message.values.map((value) => value?.toString() ?? null));
        break;
      case 'CommandComplete':
        lines.push(...(fields.length > 0 ? printTable(fields, rows) : [message.tag]));
        fields = [];
        break;
      case 'NoticeResponse':
      case 'ErrorResponse':
        lines.push(...printReport(sql, message.fields));
        break;
    }
  }
  return lines;
}

function printTable(fields: readonly Field[], rows: readonly Cell[][]): string[] {
  const widths = fields.map(({ name }, column) =>
    Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const head = fields.map(({ name }, column) => centre(name, widths[column] ?? 0));
  const rule = widths.map((width) => '-'.repeat(width + 2)).join('+');
  const body = rows.map((row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      const isRight = rightAligned.has(fields[column]?.typeOid ?? 0);
      return isRight ? (cell ?? '').padStart(width) : (cell ?? '').padEnd(width);
    }),
  );
  const count = rows.length === 1 ? '(1 row)' : `(${rows.length} rows)`;
  // psql keeps the spaces at the end of a line; in a document they would be noise.
  const lines = [head, ...body].map((cells) => ` ${cells.join(' | ')}`.trimEnd());
  return [lines[0] ?? '', rule, ...lines.slice(1), count];
}

function centre(text: string, width: number): string {
  const left = Math.floor((width - text.length) / 2);
  return `${' '.repeat(left)}${text}`.padEnd(width);
}

function printReport(sql: string, fields: ReadonlyMap<string, string>): string[] {
  const lines = [`${fields.get('S')}:  ${fields.get('M')}`];
  const position = fields.get('P');
  if (position !== undefined) lines.push(...printPosition(sql, Number(position)));
  for (const [letter, name] of [
    ['D', 'DETAIL'],
    ['H', 'HINT'],
  ] as const) {
    const value = fields.get(letter);
    if (value !== undefined) lines.push(`${name}:  ${value}`);
  }
  return lines;
}

function printPosition(sql: string, position: number): string[] {
  const before = [...sql].slice(0, position - 1).join('');
  const lineNumber = before.split('\n').length;
  const prefix = `LINE ${lineNumber}: `;
  const column = before.length - (before.lastIndexOf('\n') + 1);
  return [`${prefix}${sql.split('\n')[lineNumber - 1]}`, `${' '.repeat(prefix.length + column)}^`];
}

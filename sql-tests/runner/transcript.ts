import { printText, printValue } from './format/values.ts';
import type { TypeNames } from './type-names.ts';
import type { Field, ReportFields, ServerMessage } from './wire/server-messages.ts';

/** Everything that is needed to print messages of one session. */
export type Printing = {
  readonly types: TypeNames;
  readonly encoding: BufferEncoding;
  /** Names the session a process id belongs to; ids differ between runs. */
  readonly sessionOf: (processId: number) => string;
};

/** The parts of a report a test file shows, in the order it shows them. */
export const shownReportFields: readonly (readonly [letter: string, name: string])[] = [
  ['M', 'MESSAGE'],
  ['D', 'DETAIL'],
  ['H', 'HINT'],
  ['P', 'POSITION'],
];

/** A column as a test file names it: `name:type`. */
export function printColumn(field: Field, types: TypeNames): string {
  const name = /^[^\s":]+$/.test(field.name) ? field.name : JSON.stringify(field.name);
  return `${name}:${types.nameOf(field.typeOid)}`;
}

export function printReport(fields: ReportFields): string[] {
  return shownReportFields.flatMap(([letter, name]) => {
    const value = fields.get(letter);
    return value === undefined ? [] : [`${name}: ${printText(value)}`];
  });
}

/** Messages in the short form that `$ transcript` and `$ messages` show. */
export function printMessages(messages: readonly ServerMessage[], printing: Printing): string[] {
  let fields: readonly Field[] = [];
  return messages.flatMap((message) => {
    if (message.kind === 'RowDescription') fields = message.fields;
    return printMessage(message, fields, printing);
  });
}

function printMessage(
  message: ServerMessage,
  fields: readonly Field[],
  printing: Printing,
): string[] {
  const { types, encoding } = printing;
  switch (message.kind) {
    case 'RowDescription': {
      const columns = message.fields.map((field) => printColumn(field, types));
      return [['RowDescription', ...columns].join(' ')];
    }
    case 'DataRow': {
      const values = message.values.map((value, index) =>
        printValue(value, { binary: fields[index]?.format === 1, encoding }),
      );
      return [`DataRow ${values.join('\t')}`];
    }
    case 'CommandComplete':
      return [`CommandComplete ${message.tag}`];
    case 'ParameterDescription':
      return [['ParameterDescription', ...message.types.map((oid) => types.nameOf(oid))].join(' ')];
    case 'ErrorResponse':
    case 'NoticeResponse': {
      const severity = message.fields.get('S') ?? '';
      const head = `${message.kind} ${severity} ${message.fields.get('C') ?? ''}`;
      return [head, ...printReport(message.fields).map((line) => `  ${line}`)];
    }
    case 'CopyInResponse':
    case 'CopyOutResponse':
    case 'CopyBothResponse':
      return [`${message.kind} ${message.format === 0 ? 'text' : 'binary'}`];
    case 'CopyData':
      return [`CopyData ${printText(message.data.toString(encoding))}`];
    case 'ReadyForQuery':
      return [`ReadyForQuery ${message.status}`];
    case 'ParameterStatus':
      return [`ParameterStatus ${message.name}=${message.value}`];
    case 'NotificationResponse': {
      const from = printing.sessionOf(message.processId);
      return [`NotificationResponse ${message.channel} ${printText(message.payload)} from ${from}`];
    }
    case 'BackendKeyData':
      return ['BackendKeyData'];
    case 'Other':
      return [`Message ${message.type} ${message.body.toString('hex')}`];
    default:
      return [message.kind];
  }
}

/**
 * Messages with everything in them, to compare two runs: what must differ between two databases
 * (the numbers of user-made tables and types, process ids, keys) is replaced by what it stands for.
 */
export function recordMessages(messages: readonly ServerMessage[], printing: Printing): string[] {
  return messages.map((message) => {
    switch (message.kind) {
      case 'RowDescription':
        return [
          'RowDescription',
          ...message.fields.map((each) => recordField(each, printing)),
        ].join(' | ');
      case 'DataRow': {
        const values = message.values.map((value) =>
          value === null ? 'NULL' : JSON.stringify(value.toString('latin1')),
        );
        return `DataRow ${values.join(' ')}`;
      }
      case 'ErrorResponse':
      case 'NoticeResponse': {
        const fields = [...message.fields].map(([letter, value]) => `${letter}=${value}`);
        return `${message.kind} ${JSON.stringify(fields)}`;
      }
      case 'CopyInResponse':
      case 'CopyOutResponse':
      case 'CopyBothResponse':
        return `${message.kind} ${message.format} (${message.columnFormats.join(' ')})`;
      case 'CopyData':
        return `CopyData ${JSON.stringify(message.data.toString('latin1'))}`;
      case 'BackendKeyData':
        return `BackendKeyData ${message.secret.length} bytes`;
      default:
        return printMessages([message], printing).join('\n');
    }
  });
}

function recordField(field: Field, { types }: Printing): string {
  const { name, attribute, typeSize, typeModifier, format } = field;
  const table = field.tableOid === 0 ? 'computed' : `attribute ${attribute} of a table`;
  const type = types.nameOf(field.typeOid);
  const kind = `${type} size ${typeSize} modifier ${typeModifier} format ${format}`;
  return `${JSON.stringify(name)} ${kind} ${table}`;
}

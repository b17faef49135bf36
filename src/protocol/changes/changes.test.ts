import assert from 'node:assert/strict';
import type { Change, TableVersion, Tuple, ValueKind } from '../../contracts/change.ts';
import type { VersionRights } from '../../contracts/change-access.ts';
import { printCommitTime } from './commit-time.ts';
import { changeCount, decodeChange } from './decode-change.ts';
import { printEventRow } from './event-row.ts';
import { printChange, printKey, printRow, unchangedColumns } from './row-json.ts';
import { scalarPrinterFor } from './scalar-json.ts';
import { builtinValueKind, resolveValueKind, type TypeFacts } from './value-kind.ts';

const all: VersionRights = { kind: 'all' };

function tableOf(columns: Readonly<Record<string, ValueKind>>, keys: readonly string[] = ['id']) {
  const table: TableVersion = {
    id: 7,
    oid: 16_400,
    schema: 'public',
    name: 't"1',
    replicaIdentity: 'default',
    columns: Object.entries(columns).map(([name, valueKind]) => ({
      name,
      typeOid: 25,
      typeModifier: -1,
      isKey: keys.includes(name),
      valueKind,
    })),
  };
  return table;
}

function changeOf(table: TableVersion, parts: Partial<Change>): Change {
  return {
    position: { epoch: 2, lsn: 0x16b374d848n, seq: 3 },
    walLsn: 0n,
    committedAtMicros: 1_700_000_000_000_001n,
    xid: 4_294_967_300n,
    operation: 'UPDATE',
    table,
    before: undefined,
    after: undefined,
    schemaChange: undefined,
    ...parts,
  };
}

const number: ValueKind = 'number';
const rowTable = tableOf({ id: number, name: 'text', big: 'text' });
const frameOf = (...parts: (string | number[])[]) => {
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  return { bytes, start: 0, end: bytes.length, streamed: false };
};

describe('rows as JSON', () => {
  it('have the values exactly as Postgres printed them', () => {
    const kinds = {
      id: number,
      dec: number,
      flag: 'boolean',
      doc: 'json',
      'na"me': 'text',
      list: { arrayOf: number, delimiter: ',' },
      flags: { arrayOf: 'boolean', delimiter: ',' },
      docs: { arrayOf: 'json', delimiter: ',' },
    } as const;
    const print = (...tuple: Tuple): string => printRow(tableOf(kinds), tuple, all);
    assert.equal(
      print(
        '1e+100',
        '0.10',
        't',
        '{"a": 1.0}',
        'q"\n',
        '{1,NaN,NULL}',
        '{t,f}',
        '{"{\\"a\\":1}"}',
      ),
      '{"id":1e+100,"dec":0.10,"flag":true,"doc":{"a": 1.0},"na\\"me":"q\\"\\n",' +
        '"list":[1,"NaN",null],"flags":[true,false],"docs":[{"a":1}]}',
    );
    assert.equal(
      print('-Infinity', '12345678901234567890.123', 'f', null, ''),
      '{"id":"-Infinity","dec":12345678901234567890.123,"flag":false,"doc":null,"na\\"me":""}',
    );
    assert.equal(print(), '{}');
    assert.throws(() => print('1', '1', 'yes'), { code: 'XX001' });
  });

  it('leave out what is not known and what may not be seen', () => {
    const some: VersionRights = { kind: 'columns', visible: [false, true, true] };
    const none: VersionRights = { kind: 'none', reason: 'privilege' };
    assert.equal(printRow(rowTable, ['1', undefined, 'x'], all), '{"id":1,"big":"x"}');
    assert.equal(printRow(rowTable, ['1', 'n', undefined], some), '{"name":"n"}');
    const change = changeOf(rowTable, { after: ['1', 'n', undefined] });
    assert.deepEqual(unchangedColumns(change, all), ['big']);
    assert.deepEqual(unchangedColumns(change, { ...some, visible: [true, true, false] }), []);
    assert.equal(printKey(change, all), '{"id":1}');
    assert.equal(printKey(change, some), undefined);
    const nothing = { key: undefined, before: undefined, after: undefined, unchanged: [] };
    assert.deepEqual(printChange(change, none), nothing);
  });

  it('have the key as it was', () => {
    const table = tableOf({ id: number, name: 'text' }, ['id', 'name']);
    const before = ['1', null];
    const after = ['2', 'x'];
    assert.deepEqual(printChange(changeOf(table, { before, after }), all), {
      key: '{"id":1,"name":null}',
      before: '{"id":1,"name":null}',
      after: '{"id":2,"name":"x"}',
      unchanged: [],
    });
    assert.equal(printKey(changeOf(tableOf({ id: number }, []), { after: ['1'] }), all), undefined);
  });
});

const print = scalarPrinterFor('UTF8');

describe('events', () => {
  it('are one JSON object', () => {
    const after = ['1', null, undefined];
    assert.deepEqual(JSON.parse(printEventRow(changeOf(rowTable, { after }), all, print)), {
      epoch: 2,
      lsn: '16/B374D848',
      seq: 3,
      committed_at: '2023-11-14T22:13:20.000001Z',
      xid: '4294967300',
      table_schema: 'public',
      table_name: 't"1',
      operation: 'UPDATE',
      key: { id: 1 },
      before: null,
      after: { id: 1, name: null },
      unchanged: ['big'],
    });
  });

  it('show schema changes', () => {
    const schemaChange = {
      command: 'DROP TABLE',
      tableOid: 9,
      schema: 's',
      name: 't',
      rewritesRows: true,
    };
    const change = { ...changeOf(rowTable, { operation: 'DDL', schemaChange }), table: undefined };
    const event = JSON.parse(printEventRow(change, all, print)) as Record<string, unknown>;
    assert.equal(event['table_schema'], 's');
    assert.equal(event['table_name'], 't');
    const after = { command: 'DROP TABLE', table_oid: 9, rewrites_rows: true };
    assert.deepEqual(event['after'], after);
  });

  it('have no JSON that Postgres cannot take apart', () => {
    const table = tableOf({ id: 'json' });
    for (const [json, isReadable] of [
      ['{"a":"\\u00e9\\n"}', true],
      ['"\\\\u0000"', true],
      ['"\\ud83d\\ude00"', true],
      ['"\\u0000"', false],
      ['"\\\\\\u0000"', false],
      ['"\\ud800"', false],
      ['"\\ud800\\n"', false],
      ['"\\ud800\\u0041"', false],
      ['"\\udc00"', false],
    ] as const) {
      const event = printEventRow(changeOf(table, { after: [json] }), all, print);
      const shown = isReadable ? json : JSON.stringify(json);
      assert.ok(event.includes(`"after":{"id":${shown}}`), `${json}: ${event}`);
      assert.equal(printRow(table, [json], all), `{"id":${json}}`);
    }
  });

  it('look through long runs of digits once', () => {
    const digits = `"${'7'.repeat(5_999)}",`;
    const json = `[${digits.repeat(5_000)}0]`; // Thirty megabytes, minutes if it were not so.
    assert.equal(print('json', json), json);
  });

  it('have times Postgres reads', () => {
    for (const [micros, text] of [
      [0n, '1970-01-01T00:00:00.000000Z'],
      [-1n, '1969-12-31T23:59:59.999999Z'],
      [951_782_400_000_000n, '2000-02-29T00:00:00.000000Z'],
      [253_402_300_800_000_000n, '10000-01-01T00:00:00.000000Z'],
      [-62_135_596_800_000_001n, '0001-12-31T23:59:59.999999Z BC'],
    ] as const) {
      assert.equal(printCommitTime(micros), text);
    }
  });
});

describe('stored frames', () => {
  const row = '\0\x03t\0\0\0\x011nu';
  const version = (id: number): TableVersion | undefined => (id === 7 ? rowTable : undefined);

  it('become changes of the table version', () => {
    const insert = frameOf('I\0\0\0\x07N', row);
    assert.equal(changeCount(insert), 1);
    assert.deepEqual(decodeChange(insert, version), {
      operation: 'INSERT',
      table: rowTable,
      before: undefined,
      after: ['1', null, undefined],
      schemaChange: undefined,
    });
    const deletion = decodeChange(frameOf('D\0\0\0\x07K', row), version);
    assert.deepEqual(deletion?.before, ['1', undefined, undefined]);
  });

  it('have what stayed as it was from the old row', () => {
    const update = frameOf('U\0\0\0\x07O\0\x03t\0\0\0\x012nt\0\0\0\x01xN', row);
    assert.deepEqual(decodeChange(update, version)?.after, ['1', null, 'x']);
    const without = frameOf('U\0\0\0\x07O\0\x03t\0\0\0\x012nnN', row);
    assert.deepEqual(decodeChange(without, version)?.after, ['1', null, undefined]);
  });

  it('have no NULL of an old row that is not known to be whole', () => {
    const deletion = frameOf('D\0\0\0\x07O\0\x03t\0\0\0\x012nn');
    assert.deepEqual(decodeChange(deletion, version)?.before, ['2', undefined, undefined]);
    const whole = { ...rowTable, replicaIdentity: 'full' as const };
    assert.deepEqual(decodeChange(deletion, () => whole)?.before, ['2', null, null]);
  });

  it('are several changes when they truncate several tables', () => {
    const truncate = frameOf('T\0\0\0\x02\0\0\0\0\x07\0\0\0\x08');
    assert.equal(changeCount(truncate), 2);
    assert.equal(decodeChange(truncate, version, 0)?.operation, 'TRUNCATE');
    assert.throws(() => decodeChange(truncate, version, 1), { code: 'XX001' });
    assert.equal(decodeChange(truncate, version, 2), undefined);
  });

  it('may be schema changes, of which nobody can make an error', () => {
    const change = {
      command: 'ALTER TABLE',
      tableOid: 5,
      schema: 's',
      name: 'n',
      rewritesRows: false,
    };
    const message = (content: string, prefix = 'heliosdb', flag = 1) =>
      frameOf('M', [flag], '\0'.repeat(8), `${prefix}\0`, [0, 0, 0, content.length], content);
    const ours = message(JSON.stringify(change));
    assert.equal(changeCount(ours), 1);
    assert.deepEqual(decodeChange(ours, version)?.schemaChange, change);
    for (const other of [
      message(JSON.stringify(change), 'other'),
      message(JSON.stringify(change), 'heliosdb', 0),
      message(''),
      message('null'),
      message('[]'),
      message('{"command":1}'),
      message(JSON.stringify({ ...change, tableOid: 1e10 })),
      frameOf('R\0\0\0\x07'),
      frameOf(''),
    ]) {
      assert.equal(changeCount(other), 0);
      assert.equal(decodeChange(other, version), undefined);
    }
  });

  it('are refused when they do not fit the table', () => {
    const narrow = frameOf('I\0\0\0\x07N\0\x01n');
    assert.throws(() => decodeChange(narrow, version), { code: 'XX001' });
    const unknown = frameOf('I\0\0\0\x08N', row);
    assert.throws(() => decodeChange(unknown, version), { code: 'XX001' });
  });
});

describe('kinds of values', () => {
  const facts: Readonly<Record<number, TypeFacts>> = {
    20000: factsOf({ typtype: 'd', typbasetype: 1700 }),
    20001: factsOf({ typelem: 20_000, typoutput: 'array_out' }),
    20002: factsOf({ typtype: 'd', typbasetype: 1007 }),
    20003: factsOf({ typelem: 20_002, typoutput: 'array_out' }),
    20004: factsOf({ typtype: 'd', typbasetype: 603, typdelim: ';' }),
    20005: factsOf({ typelem: 20_004, typoutput: 'array_out' }),
    20006: factsOf({ typtype: 'd', typbasetype: 20_006 }),
    20007: factsOf({ typtype: 'e', typoutput: 'enum_out' }),
    // As int2vector: elements but no array literal.
    20008: factsOf({ typelem: 21, typoutput: 'my_vector_out' }),
  };

  function factsOf(some: Partial<TypeFacts>): TypeFacts {
    const none = { typtype: 'b', typbasetype: 0, typelem: 0, typdelim: ',', typoutput: 'x' };
    return { ...none, ...some };
  }

  it('follow domains and arrays', () => {
    for (const [oid, kind] of [
      [1700, 'number'],
      [22, 'text'],
      [1020, { arrayOf: 'text', delimiter: ';' }],
      [20_000, 'number'],
      [20_001, { arrayOf: 'number', delimiter: ',' }],
      [20_002, { arrayOf: 'number', delimiter: ',' }],
      [20_003, { arrayOf: 'text', delimiter: ',' }],
      [20_005, { arrayOf: 'text', delimiter: ';' }],
      [20_006, 'text'],
      [20_007, 'text'],
      [20_008, 'text'],
      [99_999, 'text'],
    ] as const) {
      assert.deepEqual(
        resolveValueKind(oid, (asked) => facts[asked]),
        kind,
        String(oid),
      );
    }
    assert.equal(builtinValueKind(20_000), undefined);
  });
});

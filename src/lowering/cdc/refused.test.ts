import assert from 'node:assert/strict';
import type { ErrorFields, HintOnly } from '../../contracts/rewriter.ts';
import type * as errors from '../../core/errors/cdc.ts';
import { claimedNestingMax, claimedTextUnitsMax, eventsReadsMax } from '../../core/limits.ts';
import { type Refused, testRefusals } from '../../testing/oracle/refused.ts';
import { rewrite } from '../rewrite.ts';

type Provoked = Exclude<
  keyof typeof errors,
  | 'notSetUp'
  | 'adminNeeded'
  | 'readOnlyTransaction'
  | 'cdcLoweringFailed'
  | 'cdcTooComplex'
  | 'tooManyEventsReads'
>;

function syntax(text: string, near: string | undefined, expected: string): Refused {
  const where = near === undefined ? 'end of input' : `or near "${near}"`;
  const message = `syntax error at ${where}`;
  return { text, code: '42601', message, hint: `Expected ${expected}` };
}

const afterWhere = 'an expression, SINCE LSN, LIMIT, FOLLOW or the end of the statement.';
const inOrder = ' The clauses come in the order FROM, WHERE, SINCE, LIMIT, FOLLOW.';
const views = 'EVENTS, STATUS, TABLES, READERS, CONNECTORS or CONNECTOR.';
const parameter = {
  code: '42601',
  detail: 'A statement on change data capture takes parameters in WHERE alone.',
  hint: 'Write the value itself.',
};
const options =
  'Valid options are max_slot_lag, hold_for, retention_bytes, retention_age, confirm.';
const lsnHint = "Write two hexadecimal numbers, as in SINCE LSN '16/B374D848'.";
const afterEnd = {
  code: '0A000',
  detail:
    'The changes are handed over before the first statement, to its transaction and with its rights.',
  hint: 'Send SHOW CDC EVENTS as a Query of its own.',
};

/** Every error of these statements that is found when they are read. */
const refusals: Readonly<Record<Provoked, readonly Refused[]>> = {
  cdcSyntaxError: [
    syntax('SHOW CDC ¦EVENT', 'EVENT', views),
    syntax('SHOW CDC ¦"events"', '"events"', views),
    syntax('SHOW CDC ¦1', '1', views),
    syntax('SHOW CDC STATUS ¦NOW', 'NOW', 'the end of the statement.'),
    syntax(
      'SHOW CDC EVENTS ¦orders',
      'orders',
      'FROM, WHERE, SINCE LSN, LIMIT, FOLLOW or the end of the statement.',
    ),
    syntax('SHOW CDC EVENTS FROM¦', undefined, 'a table name.'),
    syntax('SHOW CDC EVENTS FROM -- x\n  ¦', undefined, 'a table name.'),
    syntax('SHOW CDC EVENTS FROM¦; SELECT 1', ';', 'a table name.'),
    syntax('SHOW CDC EVENTS FROM ¦LIMIT 5', 'LIMIT', 'a table name.'),
    syntax('SHOW CDC EVENTS FROM public.¦', undefined, 'a table name.'),
    syntax(
      'SHOW CDC EVENTS FROM a.b¦.c',
      '.',
      'WHERE, SINCE LSN, LIMIT, FOLLOW or the end of the statement.',
    ),
    syntax('SHOW CDC EVENTS FROM ¦U&"a"', 'U&"a"', 'a table name.'),
    syntax('SHOW CDC EVENTS WHERE¦', undefined, 'an expression.'),
    syntax('SHOW CDC EVENTS WHERE ¦LIMIT 5', 'LIMIT', 'an expression.'),
    syntax('SHOW CDC EVENTS WHERE (a¦', undefined, 'an expression or ")".'),
    syntax('SHOW CDC EVENTS WHERE (a¦; SELECT 1', ';', 'an expression or ")".'),
    syntax('SHOW CDC EVENTS WHERE é = 1¦) OR (2', ')', afterWhere),
    syntax("SHOW CDC EVENTS WHERE '😀' = (a¦]", ']', 'an expression or ")".'),
    syntax('SHOW CDC EVENTS WHERE a[1¦)', ')', 'an expression or "]".'),
    syntax('SHOW CDC EVENTS WHERE "/*"¦]', ']', afterWhere),
    syntax("SHOW CDC EVENTS SINCE ¦'0/0'", "'0/0'", 'LSN.'),
    syntax('SHOW CDC EVENTS SINCE LSN ¦5', '5', "a position such as '0/1A2B3C'."),
    syntax("SHOW CDC EVENTS SINCE LSN ¦b'1'", "b'1'", "a position such as '0/1A2B3C'."),
    syntax('SHOW CDC EVENTS LIMIT ¦1.5', '1.5', 'ALL or a count.'),
    syntax('SHOW CDC EVENTS LIMIT ¦a', 'a', 'ALL or a count.'),
    syntax('SHOW CDC EVENTS FOLLOW ¦x', 'x', 'the end of the statement.'),
    syntax(
      'SHOW CDC EVENTS LIMIT 5 ¦WHERE a = 1',
      'WHERE',
      `FOLLOW or the end of the statement.${inOrder}`,
    ),
    syntax('ALTER CDC¦', undefined, 'CAPTURE or CONNECTOR.'),
    syntax('ALTER CDC ¦CONNECTORS', 'CONNECTORS', 'CAPTURE or CONNECTOR.'),
    syntax('CREATE CDC ¦SINK', 'SINK', 'CONNECTOR.'),
    syntax('CREATE CDC CONNECTOR¦', undefined, 'IF NOT EXISTS or a name.'),
    syntax('CREATE CDC CONNECTOR c ¦WITH (a = 1)', 'WITH', 'TYPE.'),
    syntax('CREATE CDC CONNECTOR c TYPE¦', undefined, 'a type of connector.'),
    syntax('CREATE CDC CONNECTOR c TYPE kafka FOR ¦orders', 'orders', 'ALL TABLES or TABLE.'),
    syntax(
      'CREATE CDC CONNECTOR c TYPE kafka FOR ALL TABLES ¦WHERE (a)',
      'WHERE',
      'WITH or the end of the statement.',
    ),
    syntax(
      'ALTER CDC CONNECTOR c¦',
      undefined,
      'ENABLE, DISABLE, SET, RESET, REPLAY FROM LSN or RESUME SKIP GAP.',
    ),
    syntax('ALTER CDC CONNECTOR c REPLAY FROM LSN ¦5', '5', "an LSN such as '16/B374D848'."),
    syntax('DROP CDC ¦c', 'c', 'CONNECTOR.'),
    syntax('SHOW CDC CONNECTOR¦', undefined, 'a name.'),
    syntax(
      'ALTER CDC CAPTURE¦',
      undefined,
      'ENABLE, DISABLE, RESUME SKIP GAP, SET, RESET, EXCLUDE or INCLUDE.',
    ),
    syntax('ALTER CDC CAPTURE RESUME¦', undefined, 'SKIP GAP.'),
    syntax('ALTER CDC CAPTURE SET (¦)', ')', 'an option.'),
    syntax("ALTER CDC CAPTURE SET (confirm ¦'logged')", "'logged'", '"=".'),
    syntax('ALTER CDC CAPTURE SET (confirm = ¦)', ')', 'a value.'),
    syntax('ALTER CDC CAPTURE RESET (confirm ¦= 1)', '=', '"," or ")".'),
    syntax(
      'ALTER CDC CAPTURE EXCLUDE (orders.email¦)',
      ')',
      'a column such as schema.table.column.',
    ),
    syntax('ALTER CDC CAPTURE EXCLUDE (¦)', ')', 'a column such as schema.table.column.'),
  ],
  cdcParameter: [
    {
      text: 'SHOW CDC EVENTS LIMIT ¦$1',
      message: 'parameter $1 is not allowed here',
      ...parameter,
    },
    { text: 'SHOW CDC EVENTS FROM ¦$2', message: 'parameter $2 is not allowed here', ...parameter },
    {
      text: 'ALTER CDC CAPTURE SET (hold_for = ¦$1)',
      message: 'parameter $1 is not allowed here',
      ...parameter,
    },
  ],
  invalidLsn: [
    {
      text: "SHOW CDC EVENTS SINCE LSN ¦'16'",
      code: '22P02',
      message: 'invalid input syntax for type pg_lsn: "16"',
      hint: lsnHint,
    },
    {
      text: "SHOW CDC EVENTS SINCE LSN ¦'1/2''3'",
      code: '22P02',
      message: 'invalid input syntax for type pg_lsn: "1/2\'3"',
      hint: lsnHint,
    },
  ],
  limitNegative: [
    {
      text: 'SHOW CDC EVENTS LIMIT ¦- 1',
      code: '2201W',
      message: 'LIMIT must not be negative',
      hint: 'Write LIMIT ALL for all changes.',
    },
  ],
  limitOutOfRange: [
    {
      text: 'SHOW CDC EVENTS LIMIT ¦9223372036854775808',
      code: '22003',
      message: 'value "9223372036854775808" is out of range for type bigint',
      hint: 'Write LIMIT ALL for all changes.',
    },
  ],
  connectorTypeUnrecognised: [
    {
      text: 'CREATE CDC CONNECTOR c TYPE ¦kaffka',
      code: '22023',
      message: 'unrecognized type of connector "kaffka"',
      hint: 'Valid types are kafka, redis, http, file.',
    },
  ],
  optionMissing: [
    {
      text: 'CREATE CDC CONNECTOR c TYPE ¦file',
      code: '22023',
      message: 'a file connector needs option "directory"',
      hint: "WITH (directory = ...): a directory, such as '/var/spool/changes'.",
    },
  ],
  enabledIsAlone: [
    {
      text: 'ALTER CDC CONNECTOR c SET ¦enabled = false, topic = a',
      code: '42601',
      message: 'option "enabled" is set in a statement of its own',
      hint: 'Write ALTER CDC CONNECTOR ... SET enabled = ... after the other options.',
    },
  ],
  optionUnrecognised: [
    {
      text: 'ALTER CDC CAPTURE SET (¦hold = 1)',
      code: '22023',
      message: 'unrecognized capture option "hold"',
      hint: options,
    },
    {
      text: 'ALTER CDC CAPTURE RESET (confirm, ¦Hold)',
      code: '22023',
      message: 'unrecognized capture option "hold"',
      hint: options,
    },
  ],
  optionTwice: [
    {
      text: 'ALTER CDC CAPTURE RESET (confirm, ¦CONFIRM)',
      code: '42601',
      message: 'capture option "confirm" given more than once',
      hint: 'Give it once.',
    },
  ],
  optionInvalid: [
    {
      text: "CREATE CDC CONNECTOR c TYPE kafka WITH (sasl_password = ¦'')",
      code: '22023',
      message: 'invalid value for kafka connector option "sasl_password"',
      hint: "Write a password, ENV 'NAME' or FILE '/path'.",
    },
    {
      text: "CREATE CDC CONNECTOR c TYPE kafka WITH (topic = ENV ¦'TOPIC')",
      code: '22023',
      message: `invalid value for kafka connector option "topic": "ENV 'TOPIC'"`,
      hint: 'Write a topic, which may have {database}, {schema} and {table} in it.',
    },
    {
      text: "ALTER CDC CAPTURE SET (max_slot_lag = ¦'1 gigabyte')",
      code: '22023',
      message: 'invalid value for capture option "max_slot_lag": "1 gigabyte"',
      hint: "Write a size in B, kB, MB, GB or TB, such as '1GB'.",
    },
    {
      text: "ALTER CDC CAPTURE SET (hold_for = ¦'-1 minute')",
      code: '22023',
      message: 'invalid value for capture option "hold_for": "-1 minute"',
      hint: "Write an interval that is not negative, such as '10 minutes'.",
    },
    {
      text: 'ALTER CDC CAPTURE SET (confirm = ¦on)',
      code: '22023',
      message: 'invalid value for capture option "confirm": "on"',
      hint: "Write 'delivered' or 'logged'.",
    },
  ],
  eventsAfterEnd: [
    'COMMIT',
    'END',
    'ROLLBACK',
    'ABORT',
    "PREPARE TRANSACTION 'x'",
    'ROLLBACK TO s',
    'RESET ALL',
    'SET ROLE',
    'RESET ROLE',
    'SET SESSION AUTHORIZATION',
    'RESET SESSION AUTHORIZATION',
  ].map((ending) => ({
    text: `${ending}; ¦SHOW CDC EVENTS`,
    message: `SHOW CDC EVENTS cannot follow ${
      /^(?:PREPARE|RESET|SET)/.test(ending) ? ending.replace(" 'x'", '') : ending.split(' ')[0]
    } in one Query`,
    ...afterEnd,
  })),
  followWithOthers: [
    {
      text: 'SELECT 1; ¦SHOW CDC EVENTS FOLLOW',
      code: '0A000',
      message: 'SHOW CDC EVENTS with FOLLOW cannot stand beside other statements in one Query',
      detail: 'It goes on until it is cancelled.',
      hint: 'Send it as a Query of its own.',
    },
  ],
};

describe('a statement on change data capture that is wrong', () => {
  testRefusals(refusals);

  it('is too long or too deep for the parser', async () => {
    const long = `SHOW CDC EVENTS WHERE ${'a'.repeat(claimedTextUnitsMax)}`;
    const deep = claimedNestingMax + 1;
    const nested = `SHOW CDC EVENTS WHERE ${'('.repeat(deep)}${')'.repeat(deep)}`;
    const details = [
      [long, `may be ${claimedTextUnitsMax} characters long; this one has ${long.length}.`],
      [nested, `may nest ${claimedNestingMax} levels of brackets.`],
    ] as const;
    for (const [text, detail] of details) {
      assert.deepEqual(await refusalOf(text), {
        code: '54001',
        message: 'stack depth limit exceeded',
        detail: `A statement on change data capture ${detail}`,
        hint: 'Shorten the statement, or put the condition into a function.',
      });
    }
  });

  it('is one SHOW CDC EVENTS too many', async () => {
    const most = Array.from({ length: eventsReadsMax }, () => 'SHOW CDC EVENTS').join(';');
    assert.deepEqual(await refusalOf(`${most}; SHOW CDC EVENTS`), {
      code: '54000',
      message: 'too many SHOW CDC EVENTS in one Query',
      detail: `A Query may hold ${eventsReadsMax} of them.`,
      hint: 'Send some of them as a Query of their own.',
      position: most.length + 3,
    });
  });
});

async function refusalOf(text: string): Promise<ErrorFields | HintOnly | undefined> {
  const answer = await rewrite({
    text,
    protocol: 'simple',
    standardConformingStrings: true,
    parameterTypes: [],
    discovery: { kind: 'impossible' },
  });
  assert.ok(answer.kind === 'send');
  return answer.errors.at(-1)?.fields;
}

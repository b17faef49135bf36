import { type ArgumentError, type Refused, testRefusals } from '../testing/oracle/refused.ts';

const tumble = "Write TUMBLE(time, size [, origin | 'Time/Zone']).";
const hop = "Write HOP(time, slide, size [, origin | 'Time/Zone']).";
const session = 'Write SESSION(time, gap).';
const positive = "Use an interval greater than zero, for example INTERVAL '1 minute'.";
const aSize = "A size is an interval, for example INTERVAL '1 minute'.";
const mixed = 'Use whole months and years alone, or weeks, days, hours and shorter alone.';
const wholeDays = 'Use whole days or months, or a size shorter than a day.';
const date = [1082];
const timestamp = [1114];
const timestamptz = [1184];

/** Every error about arguments, each with texts that bring it about. */
const refusals: Readonly<Record<ArgumentError, readonly Refused[]>> = {
  windowArgumentCount: [
    {
      text: 'SELECT ¦TUMBLE(ts) FROM t',
      code: '42883',
      message: 'function tumble with 1 argument does not exist',
      hint: tumble,
    },
    {
      text: 'SELECT é, ¦Hop_End() FROM t GROUP BY 1',
      code: '42883',
      message: 'function hop_end with 0 arguments does not exist',
      hint: hop,
    },
    {
      text: "SELECT ¦SESSION(ts, '1 hour', 'Europe/Paris') FROM t GROUP BY 1",
      code: '42883',
      message: 'function session with 3 arguments does not exist',
      hint: session,
    },
    {
      text: "SELECT '😀', ¦TUMBLE(ts, '1 h', '2 h', '3 h', '4 h')",
      code: '42883',
      message: 'function tumble with 5 arguments does not exist',
      hint: tumble,
    },
  ],
  windowArgumentName: [
    {
      text: "SELECT TUMBLE(ts, '1 hour', ¦zone => 'UTC') FROM t",
      code: '42883',
      message: 'function tumble has no argument named "zone"',
      hint: `${tumble} The named arguments are origin and timezone.`,
    },
  ],
  windowPositionalAfterNamed: [
    {
      text: "SELECT 'é', TUMBLE(ts, timezone => 'UTC', ¦INTERVAL '1 day') FROM t",
      code: '42601',
      message: 'positional argument cannot follow named argument',
    },
  ],
  windowArgumentTwice: [
    {
      text: "SELECT TUMBLE(ts, '1 h', origin => '2024-01-01', ¦origin := '2024-01-02') FROM t",
      code: '42601',
      message: 'argument name "origin" used more than once',
      hint: 'Give it once, by its place or by its name.',
    },
    {
      text: "SELECT HOP(ts, '1 h', '1 h', 'UTC', ¦timezone => 'UTC') FROM t GROUP BY 1",
      code: '42601',
      message: 'argument name "timezone" used more than once',
      hint: 'Give it once, by its place or by its name.',
    },
  ],
  windowTimeType: [
    {
      text: "SELECT ¦TUMBLE(x, INTERVAL '1 hour') FROM t",
      types: [25],
      code: '42883',
      message: 'function tumble(text, interval) does not exist',
      detail: 'The time of a window must be date, timestamp or timestamp with time zone, not text.',
      hint: `${tumble} You might need to add an explicit type cast to the time.`,
    },
    {
      text: "SELECT ¦SESSION(n, '1 hour') FROM t GROUP BY 1",
      types: [23],
      code: '42883',
      message: 'function session(integer, unknown) does not exist',
      detail:
        'The time of a window must be date, timestamp or timestamp with time zone, not integer.',
      hint: `${session} You might need to add an explicit type cast to the time.`,
    },
  ],
  windowSizeType: [
    {
      text: 'SELECT TUMBLE(ts, ¦60) FROM t',
      code: '42883',
      message: 'the size of tumble must be an interval',
      hint: `${tumble} ${aSize}`,
    },
    {
      text: "SELECT HOP(ts, ¦1.5, '1 hour') FROM t GROUP BY 1",
      code: '42883',
      message: 'the slide of hop must be an interval',
      hint: `${hop} ${aSize}`,
    },
    {
      text: 'SELECT SESSION(ts, ¦NULL) FROM t GROUP BY 1',
      code: '42883',
      message: 'the gap of session must be an interval',
      hint: `${session} ${aSize}`,
    },
  ],
  windowSizeNotPositive: [
    {
      text: "SELECT TUMBLE(ts, ¦INTERVAL '0') FROM t",
      code: '22023',
      message: 'window size must be positive',
      detail: 'The size given is 00:00:00.',
      hint: positive,
    },
    {
      text: "SELECT TUMBLE(ts, ¦INTERVAL '-1 minute') FROM t",
      code: '22023',
      message: 'window size must be positive',
      detail: 'The size given is -00:01:00.',
      hint: positive,
    },
    {
      text: "SELECT HOP(ts, ¦'0 days', '1 day') FROM t GROUP BY 1",
      code: '22023',
      message: 'window slide must be positive',
      detail: 'The slide given is 00:00:00.',
      hint: positive,
    },
    {
      text: "SELECT SESSION(ts, ¦'-2 days'::interval) FROM t GROUP BY 1",
      code: '22023',
      message: 'window gap must be positive',
      detail: 'The gap given is -2 days.',
      hint: positive,
    },
    {
      text: "SELECT TUMBLE(ts, ¦INTERVAL '-1' YEAR) FROM t",
      types: timestamptz,
      code: '22023',
      message: 'window size must be positive',
      detail: 'The size given is -1 years.',
      hint: positive,
    },
  ],
  windowSizeMixed: [
    {
      text: "SELECT TUMBLE(ts, ¦INTERVAL '1 month 2 days 3:04:05.5') FROM t",
      types: timestamptz,
      code: '0A000',
      message: 'window size mixes months with shorter units',
      detail: 'The size given is 1 mon 2 days 03:04:05.5.',
      hint: mixed,
    },
    {
      text: "SELECT HOP(ts, ¦'13 months 1 us', '3 years') FROM t GROUP BY 1",
      types: timestamptz,
      code: '0A000',
      message: 'window slide mixes months with shorter units',
      detail: 'The slide given is 1 year 1 mon 00:00:00.000001.',
      hint: mixed,
    },
  ],
  sessionGapMonths: [
    {
      text: "SELECT SESSION(ts, ¦INTERVAL '1 year') FROM t GROUP BY 1",
      code: '0A000',
      message: 'session gap cannot hold months or years',
      detail: 'The gap given is 1 year.',
      hint: 'Use days, hours or shorter units.',
    },
  ],
  zoneSizeNotWhole: [
    {
      text: "SELECT TUMBLE(ts, ¦INTERVAL '36 hours', 'Europe/Paris') FROM t",
      types: timestamptz,
      code: '0A000',
      message: 'window size of a day or more must be whole days or whole months in a time zone',
      detail: 'The size given is 36:00:00.',
      hint: wholeDays,
    },
    {
      text: "SELECT HOP(ts, '1 hour', ¦'1 day 1 hour', 'Europe/Paris') FROM t GROUP BY 1",
      types: timestamptz,
      code: '0A000',
      message: 'window size of a day or more must be whole days or whole months in a time zone',
      detail: 'The size given is 1 day 01:00:00.',
      hint: wholeDays,
    },
  ],
  zoneNeedsTimestamptz: [
    {
      text: "SELECT TUMBLE(ts, '1 day', ¦'Europe/Paris') FROM t",
      types: timestamp,
      code: '42883',
      message:
        'a window in a time zone needs timestamp with time zone, not timestamp without time zone',
      hint: 'Cast the time to timestamptz, or leave the time zone out.',
    },
    {
      text: "SELECT HOP(d, '1 day', '2 days', timezone => ¦'Europe/Paris') FROM t GROUP BY 1",
      types: date,
      code: '42883',
      message: 'a window in a time zone needs timestamp with time zone, not date',
      hint: 'Cast the time to timestamptz, or leave the time zone out.',
    },
  ],
  hopSlideExceedsSize: [
    {
      text: "SELECT HOP(ts, ¦INTERVAL '2 hours', INTERVAL '1 hour') FROM t GROUP BY 1",
      code: '22023',
      message: 'window slide must not exceed its size',
      detail:
        'The slide is 02:00:00 and the size is 01:00:00; rows between two windows would be lost.',
      hint: 'HOP takes the slide first, then the size: HOP(time, slide, size).',
    },
    {
      text: "SELECT count(*) FROM HOP(TABLE t, DESCRIPTOR(ts), ¦'1 week', '6 days') AS t",
      code: '22023',
      message: 'window slide must not exceed its size',
      detail: 'The slide is 7 days and the size is 6 days; rows between two windows would be lost.',
      hint: 'HOP takes the slide first, then the size: HOP(time, slide, size).',
    },
  ],
  windowArgumentNotConstant: [
    {
      text: "SELECT HOP(ts, ¦t.slide, '2 hours') FROM t GROUP BY 1",
      code: '0A000',
      message: 'the slide of hop must not depend on the row',
      hint: 'Use a constant or a parameter.',
    },
    {
      text: 'SELECT SESSION(ts, ¦gap) FROM t GROUP BY 1',
      code: '0A000',
      message: 'the gap of session must not depend on the row',
      hint: 'Use a constant or a parameter.',
    },
  ],
  windowThirdArgumentAmbiguous: [
    {
      text: "SELECT TUMBLE(ts, '1 hour', ¦$1) FROM t",
      code: '42P18',
      message:
        'could not determine whether the last argument of tumble is an origin or a time zone',
      hint: "Cast it (to timestamptz or text), or name it: origin => ... or timezone => '...'.",
    },
    {
      text: "SELECT HOP(ts, '1 h', '1 h', ¦now()) FROM t GROUP BY 1",
      code: '42P18',
      message: 'could not determine whether the last argument of hop is an origin or a time zone',
      hint: "Cast it (to timestamptz or text), or name it: origin => ... or timezone => '...'.",
    },
  ],
  windowTimeTypeUnknown: [
    {
      text: "SELECT TUMBLE(¦ts, '1 month') FROM t",
      code: '0A000',
      message: 'the type of the time of tumble is not known here',
      detail:
        'Calendar windows need it, and ' +
        'an earlier statement of the same query string may change it.',
      hint: 'Send this statement in a query string of its own.',
    },
    {
      text: "SELECT HOP(¦ts, '1 day', '2 days', 'Europe/Paris') FROM t GROUP BY 1",
      code: '0A000',
      message: 'the type of the time of hop is not known here',
      detail:
        'Calendar windows need it, and ' +
        'an earlier statement of the same query string may change it.',
      hint: 'Send this statement in a query string of its own.',
    },
  ],
  windowDecoration: [
    {
      text: "SELECT ¦TUMBLE(ts, VARIADIC ARRAY[INTERVAL '1 hour']) FROM t",
      code: '42809',
      message: 'VARIADIC specified, but tumble is not a variadic function',
    },
    {
      text: "SELECT ¦TUMBLE(DISTINCT ts, '1 hour') FROM t",
      code: '42809',
      message: 'DISTINCT specified, but tumble is not an aggregate function',
    },
    {
      text: 'SELECT ¦HOP(*) FROM t GROUP BY 1',
      code: '42809',
      message: 'hop(*) specified, but hop is not an aggregate function',
    },
    {
      text: "SELECT ¦TUMBLE(ts, '1 hour') OVER () FROM t",
      code: '42809',
      message: 'OVER specified, but tumble is not a window function nor an aggregate function',
    },
    {
      text: "SELECT ¦SESSION(ts, '1 hour') FILTER (WHERE true) FROM t GROUP BY 1",
      code: '42809',
      message: 'FILTER specified, but session is not an aggregate function',
    },
    {
      text: "SELECT ¦TUMBLE(ts, '1 hour' ORDER BY ts) FROM t",
      code: '42809',
      message: 'ORDER BY specified, but tumble is not an aggregate function',
    },
    {
      text: "SELECT ¦TUMBLE('1 hour') WITHIN GROUP (ORDER BY ts) FROM t",
      code: '42809',
      message: 'WITHIN GROUP specified, but tumble is not an aggregate function',
    },
  ],
};

describe('a window with wrong arguments', () => testRefusals(refusals));

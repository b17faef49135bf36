/**
 * A length of time whose parts are known when the statement is read. Days are separate from
 * microseconds only in a time zone; without one a day is 24 hours, as date_bin has it.
 */
export type IntervalValue = {
  readonly months: number;
  readonly days: number;
  readonly micros: bigint;
};

const microsPerSecond = 1_000_000n;
export const microsPerDay: bigint = 86_400n * microsPerSecond;

type Unit = {
  readonly field: string;
  readonly months?: number;
  readonly days?: number;
  readonly micros?: bigint;
};

/** Spellings of src/backend/utils/adt/datetime.c, deltatktbl. */
const units: ReadonlyMap<string, Unit> = new Map(
  (
    [
      [
        ['us', 'usec', 'usecs', 'usecond', 'useconds', 'microsecon', 'microsecond', 'microseconds'],
        { micros: 1n },
      ],
      [
        ['ms', 'msec', 'msecs', 'msecond', 'mseconds', 'millisecon', 'millisecond', 'milliseconds'],
        { micros: 1000n },
      ],
      [['s', 'sec', 'secs', 'second', 'seconds'], { micros: microsPerSecond }],
      [['m', 'min', 'mins', 'minute', 'minutes'], { micros: 60n * microsPerSecond }],
      [['h', 'hr', 'hrs', 'hour', 'hours'], { micros: 3600n * microsPerSecond }],
      [['d', 'day', 'days'], { days: 1 }],
      [['w', 'week', 'weeks'], { days: 7 }],
      [['mon', 'mons', 'month', 'months'], { months: 1 }],
      [['y', 'yr', 'yrs', 'year', 'years'], { months: 12 }],
      [['dec', 'decs', 'decade', 'decades'], { months: 120 }],
      [['c', 'cent', 'century', 'centuries'], { months: 1200 }],
      [['mil', 'mils', 'millennium', 'millennia'], { months: 12000 }],
    ] as const
  ).flatMap(([names, unit]) =>
    names.map((name) => [name, { ...unit, field: names[names.length - 1]! }] as const),
  ),
);

const blank = '[ \\t\\n\\r\\f\\v]';
const term = new RegExp(
  `${blank}*([+-]?\\d+)(?:\\.(\\d{1,6}))?${blank}*([a-z]+)(?:${blank}+|$)`,
  'y',
);
const clock = new RegExp(
  `${blank}*(\\d{1,4}):(\\d{2})(?::(\\d{2})(?:\\.(\\d{1,6}))?)?(?:${blank}+|$)`,
  'y',
);

const secondsAlone = new RegExp(`^${blank}*[+-]?\\d{1,9}${blank}*$`);

/**
 * Reads the interval spellings people write: `1 day 2 hours`, `90 seconds`, `1.5 hours`, `01:30`,
 * `30`.
 * Answers undefined for every other spelling, valid or not: those are left to Postgres, which
 * knows all of them. (Where `pgsql-ast-parser` reads the same text it disagrees with Postgres on
 * `1:30`, see docs/decisions/0003.)
 */
export function readIntervalLiteral(text: string): IntervalValue | undefined {
  const input = text.toLowerCase();
  // A number alone is seconds.
  if (secondsAlone.test(input)) {
    return { months: 0, days: 0, micros: BigInt(input.trim()) * microsPerSecond };
  }
  if (new RegExp(`^${blank}*$`).test(input)) return undefined;
  let [months, days, micros] = [0, 0, 0n];
  const seen = new Set<string>();
  for (let at = 0; at < input.length; ) {
    clock.lastIndex = at;
    const time = clock.exec(input);
    if (time !== null) {
      if (!claim(seen, ['hours', 'minutes', ...secondFields])) return undefined;
      const [, hours, minutes, seconds = '0', fraction = ''] = time;
      if (Number(minutes) > 59 || Number(seconds) > 59) return undefined;
      const whole = (BigInt(hours!) * 60n + BigInt(minutes!)) * 60n + BigInt(seconds);
      micros += whole * microsPerSecond + BigInt(fraction.padEnd(6, '0') || '0');
      at = clock.lastIndex;
      continue;
    }
    term.lastIndex = at;
    const match = term.exec(input);
    if (match === null) return undefined;
    const [, digits, fraction, name] = match;
    const unit = units.get(name!);
    if (unit === undefined) return undefined;
    const fields = unit.field === 'seconds' && fraction !== undefined ? secondFields : [unit.field];
    if (!claim(seen, fields)) return undefined;
    const count = Number(digits);
    if (!Number.isSafeInteger(count) || Math.abs(count) > 1e9) return undefined;
    if (fraction !== undefined) {
      if (unit.micros === undefined || unit.micros < microsPerSecond || count < 0) return undefined;
      micros += (BigInt(fraction.padEnd(6, '0')) * unit.micros) / microsPerSecond;
    }
    months += count * (unit.months ?? 0);
    days += count * (unit.days ?? 0);
    micros += BigInt(count) * (unit.micros ?? 0n);
    at = term.lastIndex;
  }
  return isInRange(months, days, micros) ? { months, days, micros } : undefined;
}

const int32Max = 2 ** 31 - 1;
const int64Max = 2n ** 63n - 1n;

/** As an interval is stored: 32 bits of months, of days, and 64 of microseconds. */
function isInRange(months: number, days: number, micros: bigint): boolean {
  const magnitude = micros < 0n ? -micros : micros;
  return Math.max(Math.abs(months), Math.abs(days)) <= int32Max && magnitude <= int64Max;
}

const secondFields: readonly string[] = ['seconds', 'milliseconds', 'microseconds'];

/** Postgres refuses a field given twice, in whatever spelling; the message is left to it. */
function claim(seen: Set<string>, fields: readonly string[]): boolean {
  if (fields.some((field) => seen.has(field))) return false;
  for (const field of fields) seen.add(field);
  return true;
}

/** Microseconds of a length without months, a day taken as 24 hours. */
export function fixedMicros(value: IntervalValue): bigint {
  return BigInt(value.days) * microsPerDay + value.micros;
}

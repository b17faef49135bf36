import type { Random } from './random.ts';

export type Kind = 'tumble' | 'hop' | 'session';
export type Edge = '' | '_START' | '_END';

/** A window written twice: as a client writes it and as the definition has it. */
export type RandomWindow = {
  readonly kind: Kind;
  /** The time as written: a column of the table under the alias t. */
  readonly time: string;
  /** The call as a client writes it. */
  call(edge: Edge): string;
  /** The table-valued form over a table of this name. */
  tableCall(table: string, partition?: string): string;
  /** `oracle....(...)` with columns s and e; not for sessions. */
  readonly windows: string;
  /** The gap of a session in microseconds. */
  readonly gapMicros: bigint;
  /** The time as timestamp or timestamptz. */
  readonly instant: string;
  /** Values of the parameters $1 ... the call mentions. */
  readonly values: readonly string[];
};

type Length = { readonly months: number; readonly days: number; readonly micros: bigint };

const second = 1_000_000n;
const minute = 60n * second;
const hour = 60n * minute;
const day = 24n * hour;

export const fixed = (micros: bigint): Length => ({ months: 0, days: 0, micros });
const days = (count: number): Length => ({ months: 0, days: count, micros: 0n });
const months = (count: number): Length => ({ months: count, days: 0, micros: 0n });

const shortSlides: readonly bigint[] = [
  ...[
    1n,
    7n,
    250_000n,
    second,
    90n * second,
    minute,
    7n * minute,
    15n * minute,
    59n * minute + 59n * second,
  ],
  ...[hour, 90n * minute, 5n * hour, 7n * hour, 12n * hour, 25n * hour, 36n * hour + 1n],
];
const daySlides: readonly number[] = [1, 2, 3, 7, 10, 14];
const monthSlides: readonly number[] = [1, 2, 3, 5, 12, 24];

const zones: readonly string[] = [
  ...['America/New_York', 'America/Havana', 'America/St_Johns', 'Europe/Paris', 'Asia/Kolkata'],
  ...[
    'Pacific/Apia',
    'America/Santiago',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
    'UTC',
    'Africa/Cairo',
  ],
  ...['+05:30', 'EST5EDT', 'America/Sao_Paulo', 'Asia/Beirut', 'Pacific/Chatham'],
];

type Allowed = 'all' | 'unbound' | 'constant';

/** How a client may say a length, all meaning the same. */
function lengthText(random: Random, length: Length, values: string[], allowed: Allowed): string {
  const plain = plainText(random, length);
  const style = random.between(0, allowed === 'constant' ? 5 : 9);
  if (style === 6 && allowed === 'all') {
    values.push(plain);
    return `$${values.length}`;
  }
  if (style === 6 || style === 7) return `(INTERVAL '${plain}' + INTERVAL '0')`;
  if (style === 8)
    return `make_interval(months => ${length.months}, days => ${length.days}) +
      ${exactInterval(fixed(length.micros))}`;
  if (style === 5) return `'${plain}'::interval`;
  if (style === 4) return `'${plain}'`;
  if (style === 3) return `CAST('${plain}' AS interval)`;
  const field = singleField(length);
  if (style === 2 && field !== undefined) return `INTERVAL '${field.count}' ${field.unit}`;
  return `INTERVAL '${plain}'`;
}

function singleField(length: Length): { count: bigint; unit: string } | undefined {
  if (length.months > 0) return { count: BigInt(length.months), unit: 'MONTH' };
  if (length.days > 0) return { count: BigInt(length.days), unit: 'DAY' };
  for (const [unit, micros] of [
    ['HOUR', hour],
    ['MINUTE', minute],
    ['SECOND', second],
  ] as const) {
    if (length.micros % micros === 0n) return { count: length.micros / micros, unit };
  }
  return undefined;
}

/** The text of an interval literal. */
export function plainText(random: Random | undefined, length: Length): string {
  const parts: string[] = [];
  if (length.months > 0) {
    const isYears = length.months % 12 === 0 && (random?.chance(0.5) ?? false);
    parts.push(isYears ? `${length.months / 12} years` : `${length.months} months`);
  }
  if (length.days > 0) {
    const isWeeks = length.days % 7 === 0 && (random?.chance(0.5) ?? false);
    parts.push(isWeeks ? `${length.days / 7} weeks` : `${length.days} days`);
  }
  if (length.micros > 0n) {
    const field = singleField(fixed(length.micros));
    if (field !== undefined) parts.push(`${field.count} ${field.unit.toLowerCase()}s`);
    else parts.push(`${length.micros / second} seconds ${length.micros % second} us`);
  }
  return parts.join(' ');
}

export function exactInterval(length: Length): string {
  return `INTERVAL '${plainText(undefined, length) || '0'}'`;
}

type Lengths = { readonly slide: Length; readonly size: Length; readonly isCalendar: boolean };

function randomLengths(random: Random, kind: Kind, isZone: boolean): Lengths {
  const family = random.pick(['short', 'short', 'days', 'months'] as const);
  if (kind === 'session') {
    const gap = family === 'days' || family === 'months' ? days(random.between(1, 9)) : undefined;
    const size = gap ?? fixed(random.pick(shortSlides));
    return { slide: size, size, isCalendar: false };
  }
  const ratio = kind === 'tumble' ? 1 : random.pick([1, 2, 3, 4, 7, 8, 9, 12, 30, 60]);
  if (family === 'short') {
    const choices = isZone
      ? shortSlides.filter((each) => each < day && each >= 7n * minute)
      : shortSlides;
    const slide = random.pick(choices);
    let size = slide * BigInt(ratio);
    if (ratio > 1 && random.chance(0.5)) size += slide / BigInt(random.between(2, 9));
    if (isZone && size >= day) size = day - 1n;
    if (size < slide) size = slide;
    return { slide: fixed(slide), size: fixed(size), isCalendar: isZone };
  }
  if (family === 'days') {
    const slide = random.pick(daySlides);
    const size = days(slide * Math.min(ratio, 12) + (ratio > 1 ? random.between(0, 1) : 0));
    const inMonths = kind === 'hop' && slide <= 14 && random.chance(0.2);
    return {
      slide: days(slide),
      size: inMonths ? months(1) : size,
      isCalendar: inMonths || isZone,
    };
  }
  const slide = random.pick(monthSlides);
  const size = months(slide * Math.min(ratio, 8) + (ratio > 1 ? random.between(0, 1) : 0));
  return { slide: months(slide), size, isCalendar: true };
}

/** A window over a random column of the random table. */
export function randomWindow(
  random: Random,
  kind: Kind,
  options: { readonly canBind: boolean },
): RandomWindow {
  const column = random.pick(['ts', 'ts', 'tn', 'd'] as const);
  const isZone = kind !== 'session' && column === 'ts' && random.chance(0.35);
  const { slide, size, isCalendar } = randomLengths(random, kind, isZone);
  const values: string[] = [];
  const isInstant = column === 'ts';
  const canVary = kind === 'tumble' || !isCalendar;
  const allowed = canVary ? (options.canBind ? 'all' : 'unbound') : 'constant';
  const lengths = kind === 'hop' ? [slide, size] : [size];
  const texts = lengths.map((length) => lengthText(random, length, values, allowed));
  let localOrigin = "TIMESTAMP 'epoch'";
  let origin = isInstant ? "TIMESTAMPTZ 'epoch'" : localOrigin;
  const last: string[] = [];
  const zone = random.pick(zones);
  if (isZone) {
    const isWithinDay = slide.micros > 0n;
    last.push(random.chance(0.3) ? `timezone => '${zone}'` : `'${zone}'`);
    if (!isWithinDay && random.chance(0.3)) {
      const text = `TIMESTAMP '${random.pick(['2024-01-15', '1999-12-28', '2024-02-01 00:00'])}'`;
      localOrigin = text;
      last.splice(0, 1, `timezone => '${zone}'`, `origin => ${text}`);
    }
  } else if (kind !== 'session' && random.chance(0.4)) {
    const days28 = ['2024-01-15 00:00', '1999-12-28 03:07:11.5', '2024-06-03', '2031-05-05 05:05'];
    const date = random.pick([
      ...days28,
      ...(slide.months > 0 ? ['2024-01-31', '2023-08-30'] : []),
    ]);
    const styles = [
      `TIMESTAMP '${date}'`,
      `'${date}'`,
      `origin => '${date}'`,
      `TIMESTAMPTZ '${date}+00'`,
    ];
    const text = random.pick(isInstant ? styles : styles.slice(0, 3));
    last.push(text);
    const value = text.replace('origin => ', '');
    origin = `(${value})::${isInstant ? 'timestamptz' : 'timestamp'}`;
  }
  const time = `t.${column}`;
  const name = (edge: Edge) => recased(random, `${kind.toUpperCase()}${edge}`);
  const instant = column === 'd' ? `${time}::timestamp` : time;
  const exact = `${exactInterval(slide)}, ${exactInterval(size)}`;
  const windows = isZone
    ? `oracle.zone_windows(${time}, ${exact}, ${localOrigin}, '${zone}', ${kind === 'tumble'})`
    : `oracle.windows(${instant}, ${exact}, ${origin})`;
  const blank = random.pick([' ', ' ', '\n  ', ' /* , */ ']);
  const call = (first: readonly string[]) => `(${[...first, ...texts, ...last].join(`,${blank}`)})`;
  return {
    kind,
    time,
    call: (edge) => `${name(edge)}${random.chance(0.1) ? ' ' : ''}${call([time])}`,
    tableCall: (table, partition) =>
      name('') +
      call([
        `TABLE ${table}${partition === undefined ? '' : ` PARTITION BY ${partition}`}`,
        `DESCRIPTOR(${column})`,
      ]),
    windows,
    gapMicros: BigInt(size.days) * day + size.micros,
    instant,
    values,
  };
}

function recased(random: Random, name: string): string {
  return random.chance(0.2) ? name.toLowerCase() : name;
}

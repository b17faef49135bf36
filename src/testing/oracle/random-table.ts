import type { Random } from './random.ts';

/** Where rows are close together: ordinary days, epochs, leap days and changes of the clock. */
const anchors: readonly string[] = [
  ...[
    '2024-05-17T12:00:00Z',
    '2024-03-10T06:30:00Z',
    '2023-11-05T05:30:00Z',
    '2010-11-07T02:31:00Z',
  ],
  ...[
    '1970-01-01T00:00:00Z',
    '1969-12-31T20:00:00Z',
    '1968-02-29T12:00:00Z',
    '2000-02-29T23:00:00Z',
  ],
  ...[
    '2021-10-31T00:30:00Z',
    '2011-12-30T08:00:00Z',
    '2024-04-06T15:00:00Z',
    '2023-10-01T03:00:00Z',
  ],
  ...[
    '1938-07-04T10:00:00Z',
    '2038-01-19T03:14:00Z',
    '2022-09-11T03:30:00Z',
    '2024-12-31T23:30:00Z',
  ],
];

/** How far apart rows may be, in units that make ties and boundaries likely. */
const spreads: readonly { readonly unitMicros: bigint; readonly units: number }[] = [
  { unitMicros: 1n, units: 40 },
  { unitMicros: 500_000n, units: 200 },
  { unitMicros: 60_000_000n, units: 300 },
  { unitMicros: 900_000_000n, units: 200 },
  { unitMicros: 3_600_000_000n, units: 100 },
  { unitMicros: 43_200_000_000n, units: 200 },
  { unitMicros: 86_400_000_000n * 5n, units: 150 },
];

/** A table of every kind of column, made and filled by these statements. */
export type RandomTable = { readonly name: string; readonly statements: readonly string[] };

const columns = `
  id int, ts timestamptz, tn timestamp, d date, k1 text, k2 int, "Grp" boolean,
  i2 smallint, i4 int, i8 bigint, n numeric, f4 real, f8 double precision, iv interval, m money,
  s text, b boolean`;

/** The table every case reads, and a small one to join it with. */
export function randomTable(random: Random, name: string, rowsMax: number): RandomTable {
  const anchor = BigInt(Date.parse(random.pick(anchors))) * 1000n;
  const spread = random.pick(spreads);
  const isOdd = random.chance(0.4);
  const rows = Array.from({ length: random.between(0, rowsMax) }, (_, id) =>
    row(random, id, anchor, spread, isOdd),
  );
  const values = rows.length === 0 ? [] : [`INSERT INTO ${name} VALUES\n${rows.join(',\n')}`];
  return {
    name,
    statements: [
      `DROP TABLE IF EXISTS ${name}`,
      `CREATE TABLE ${name} (${columns})`,
      ...values,
      'CREATE TABLE IF NOT EXISTS labels AS SELECT * FROM (VALUES ' +
        "(0, 'zero'), (1, 'one'), (1, 'uno'), (2, NULL), (NULL, 'none')) AS l (lk, lbl)",
      // Statistics decide how some windows are computed.
      ...(random.chance(0.5) ? [`ANALYZE ${name}`] : []),
    ],
  };
}

type Spread = (typeof spreads)[number];

function row(random: Random, id: number, anchor: bigint, spread: Spread, isOdd: boolean): string {
  const or = (share: number, value: () => string) => (random.chance(share) ? 'NULL' : value());
  const time = () => timeText(random, anchor, spread);
  const oddTime = (type: string) => {
    if (random.chance(0.04)) return 'NULL';
    if (random.chance(0.04)) return random.pick(["'infinity'", "'-infinity'"]);
    return type === 'date' ? `'${time().slice(0, 10)}'` : `'${time()}'`;
  };
  return `(${[
    String(id),
    `${oddTime('timestamptz')}::timestamptz`,
    `${oddTime('timestamp')}::timestamp`,
    `${oddTime('date')}::date`,
    or(0.2, () => random.pick(["'a'", "'b'", "'É\\x'", "''"])),
    or(0.2, () => String(random.between(0, 2))),
    or(0.2, () => random.pick(['true', 'false'])),
    or(0.1, () => String(random.between(-300, 300))),
    or(0.1, () => String(random.between(-100_000, 100_000))),
    or(0.1, () =>
      random.pick([String(random.between(-9, 9)), '9007199254740993', '-4611686018427387904']),
    ),
    or(0.1, () => numericText(random, isOdd)),
    or(0.1, () => floatText(random, isOdd)),
    or(0.1, () => floatText(random, isOdd)),
    or(0.1, () => intervalText(random)),
    or(0.1, () => `'${random.between(-500, 500)}.${random.between(10, 99)}'::money`),
    or(0.1, () => random.pick(["'x'", "'Y'", "'zz'", "'ß'", "''"])),
    or(0.1, () => random.pick(['true', 'false'])),
  ].join(', ')})`;
}

function timeText(random: Random, anchor: bigint, spread: Spread): string {
  const steps = BigInt(random.between(-spread.units, spread.units));
  const nudge = random.chance(0.3) ? BigInt(random.pick([-1, 1, 250_000, -999_999])) : 0n;
  const micros = anchor + steps * spread.unitMicros + nudge;
  const millis = micros >= 0n ? micros / 1000n : -((999n - micros) / 1000n);
  const rest = (micros - millis * 1000n).toString().padStart(3, '0');
  return new Date(Number(millis)).toISOString().replace('Z', `${rest}+00`);
}

/** Sums of quarters are exact, so that no order of adding them shows. */
function floatText(random: Random, isOdd: boolean): string {
  if (isOdd && random.chance(0.1)) return random.pick(["'NaN'", "'Infinity'", "'-Infinity'"]);
  return String(random.between(-4000, 4000) / 4);
}

function numericText(random: Random, isOdd: boolean): string {
  if (isOdd && random.chance(0.08)) return random.pick(["'NaN'", "'Infinity'", "'-Infinity'"]);
  const whole = random.pick(['0', '1', '-7', '12345678901234567890', '99', '-1000', '3']);
  const scale = random.pick([0, 0, 1, 2, 5, 20]);
  const digits = Array.from({ length: scale }, () => random.pick([...'0001259'])).join('');
  return scale === 0 ? whole : `${whole}.${digits}`;
}

function intervalText(random: Random): string {
  const parts = [
    `${random.between(-3, 3)} mons`,
    `${random.between(-40, 40)} days`,
    `${random.between(-90, 90)} minutes`,
    `${random.between(-5, 5)}.${random.pick(['5', '25', '000001'])} seconds`,
  ];
  return `INTERVAL '${random.some(parts, random.between(1, 3)).join(' ')}'`;
}

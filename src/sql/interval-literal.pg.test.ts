import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Client } from 'pg';
import { withClient } from '../postgres/client.ts';
import { testPostgres } from '../testing/test-postgres.ts';
import { readIntervalLiteral } from './interval-literal.ts';

/** Months, days and microseconds as Postgres reads a text; null where it refuses it. */
type Parts = { readonly months: string; readonly days: string; readonly micros: string } | null;

/** interval_send: microseconds, days, months, each big-endian. */
const readAll = `
  CREATE FUNCTION pg_temp.read(t text) RETURNS interval LANGUAGE plpgsql AS $$
  BEGIN RETURN t::interval; EXCEPTION WHEN OTHERS THEN RETURN NULL; END $$`;
const parts = `
  SELECT interval_send(pg_temp.read(t)) AS sent
  FROM unnest($1::text[]) WITH ORDINALITY AS u (t, n) ORDER BY n`;

async function readByPostgres(client: Client, texts: readonly string[]): Promise<Parts[]> {
  const { rows } = await client.query<{ sent: Buffer | null }>(parts, [texts]);
  return rows.map(({ sent }) =>
    sent === null
      ? null
      : {
          micros: String(sent.readBigInt64BE(0)),
          days: String(sent.readInt32BE(8)),
          months: String(sent.readInt32BE(12)),
        },
  );
}

function readByUs(text: string): Parts | undefined {
  const value = readIntervalLiteral(text);
  if (value === undefined) return undefined;
  const { months, days, micros } = value;
  return { months: String(months), days: String(days), micros: String(micros) };
}

const unitNames = `us usec usecs usecond useconds microsecon microsecond microseconds ms msec msecs
  msecond mseconds millisecon millisecond milliseconds s sec secs second seconds m min mins minute
  minutes h hr hrs hour hours d day days w week weeks mon mons month months y yr yrs year years dec
  decs decade decades c cent century centuries mil mils millennium millennia qtr quarter ago
  timezone epoch fortnight`.split(/\s+/);

const spelled: readonly string[] = [
  ...['', ' ', '0', '1', '60', '-1', '1.5', '@ 1 day', '1 day ago', '@ 1 hour ago', 'infinity'],
  ...['-infinity', '1:30', '01:30', '1:3', '01:30:15', '01:30:15.5', '01:30:15.1234567', '100:00'],
  ...['12345:00', '24:00', '00:60', '00:00:60', '-01:30', '+01:30', '1 day 01:30', '01:30 1 day'],
  ...['1 day -01:30', '1 day 01:30 2 hours', '2 hours 01:30', '1 minute 00:30', '1 second 00:30'],
  ...['1 us 00:30', '01:30 01:30', '1 day 1 day', '1 day 1 days', '1 d 1 day', '1 h 1 hour 1 hr'],
  ...['1 week 1 day', '1 week 1 w', '1 year 1 decade', '1 century 1 year', '1 sec 1 ms 1 us'],
  ...['1.5 sec 1 ms', '1.5 hours 1 min', '1.5 days', '1.5 weeks', '1.5 months', '.5 hours'],
  ...['1. hour', '1.5hours', '1hour2min', '1h2m3s', '1 hour, 2 minutes', '1e3 seconds', '0x10 s'],
  ...['P1D', 'PT1H', 'P1Y2M3DT4H5M6S', '1-2', '1-2 3', '1-2 3 4:05', '1 2:03', '-1 day', '+1 day'],
  ...[
    '-1 day 2 hours',
    '1 day -2 hours',
    '-1.5 hours',
    '1 mon -1 day',
    '- 1 day',
    '1  day',
    '1\tday',
  ],
  ...['1\nday', '1\u00a0day', '1 DAY', '1 Day 2 HoUrs', '1000000000 days', '999999999 weeks'],
  ...['178956970 years', '1000000000 mil', '1000000000 hours', '3000000000 hours', '0 days'],
  ...['1.123456 seconds', '1.1234567 seconds', '0.000001 seconds', '0.0000001 hours', '1.1 ms'],
  ...['0.1 hours', '0.123457 hours', '1.999999 minutes', '00000000000000000001 hour', '1 microsec'],
];

describe('readIntervalLiteral', () => {
  let client: Client;
  let close: () => void;
  let closed: Promise<void>;

  before(async () => {
    const postgres = await testPostgres();
    const url = postgres.url(await postgres.createDatabase());
    await new Promise<void>((opened, failed) => {
      closed = withClient(url, async (connected) => {
        client = connected;
        await client.query("SET intervalstyle = 'postgres'");
        await client.query(readAll);
        opened();
        await new Promise<void>((resolve) => {
          close = resolve;
        });
      });
      closed.catch(failed);
    });
  });
  after(async () => {
    close();
    await closed;
  });

  /** Every text that is read at all must be read as Postgres reads it. */
  async function agrees(texts: readonly string[]): Promise<number> {
    const expected = await readByPostgres(client, texts);
    const wrong = texts.flatMap((text, index) => {
      const got = readByUs(text);
      const want = expected[index];
      const isSame =
        got === undefined || JSON.stringify(sorted(got)) === JSON.stringify(sorted(want));
      return isSame ? [] : [{ text, got, want }];
    });
    assert.deepEqual(wrong.slice(0, 10), []);
    return texts.filter((text) => readByUs(text) !== undefined).length;
  }

  function sorted(value: Parts | undefined): unknown {
    return value && [value.months, value.days, value.micros];
  }

  it('reads unusual spellings as Postgres does or not at all', async () => {
    await agrees(spelled);
  });

  it('knows every unit as Postgres does', async () => {
    const texts = unitNames.flatMap((unit) => [
      `3 ${unit}`,
      `-3${unit}`,
      `1.25 ${unit}`,
      `0 ${unit}`,
    ]);
    const read = await agrees(texts);
    assert.ok(read > 100, `${read} of ${texts.length} texts were read`);
  });

  it('reads random combinations of terms as Postgres does or not at all', async () => {
    const count = fc.oneof(
      fc.integer({ min: -50, max: 500 }).map(String),
      fc.tuple(fc.nat(99), fc.nat(9_999_999)).map(([whole, part]) => `${whole}.${part}`),
      fc.bigInt({ min: -5_000_000_000n, max: 5_000_000_000n }).map(String),
    );
    const term = fc
      .tuple(count, fc.constantFrom('', ' ', '  '), fc.constantFrom(...unitNames))
      .map((each) => each.join(''));
    const clock = fc
      .tuple(fc.nat(99), fc.nat(61), fc.option(fc.nat(61)), fc.option(fc.nat(999_999)))
      .map(([hours, minutes, seconds, micros]) => {
        const pad = (n: number) => String(n).padStart(2, '0');
        const fraction = micros === null ? '' : `.${micros}`;
        const tail = seconds === null ? '' : `:${pad(seconds)}${fraction}`;
        return `${pad(hours)}:${pad(minutes)}${tail}`;
      });
    const text = fc
      .array(fc.oneof({ weight: 4, arbitrary: term }, clock), { minLength: 1, maxLength: 4 })
      .map((terms) => terms.join(' '));
    const seed = Number(process.env['HELIOSDB_SEED'] ?? Date.now() % 1_000_000);
    const texts = fc.sample(text, { seed, numRuns: 3_000 });
    const read = await agrees(texts).catch((error: Error) => {
      error.message = `HELIOSDB_SEED=${seed}\n${error.message}`;
      throw error;
    });
    assert.ok(read > 200, `${read} of ${texts.length} texts were read, HELIOSDB_SEED=${seed}`);
  });
});

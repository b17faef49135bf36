import type { Comparison, Statement } from '../suite.ts';
import {
  type Aggregates,
  byDateBin,
  byDateTrunc,
  byExpansion,
  byIslands,
  minutes,
  type Question,
  windowed,
} from './statements.ts';

const tumbleLimit = 1.05;
const hopToTumbleLimit = 2.5;
/** Ten times faster. */
const hopSpeedUpLimit = 0.1;
const hopLimit = 1.2;
const sessionLimit = 1.1;

/** Every claim about the speed of windows, beside the SQL an expert writes by hand. */
export function windowComparisons(): readonly Comparison[] {
  return [...tumbles(), ...hops(), ...hopsWithKeys(), ...sessions(), ...zones()];
}

function tumbles(): Comparison[] {
  const size = minutes(1);
  return ['none', 'key100', 'key100k'].map((key) => {
    const question: Question = key === 'none' ? {} : { key };
    return compare({
      name: `TUMBLE 1 min, ${described(question)}`,
      ours: windowed(`TUMBLE(ts, ${size})`, question),
      peers: [byDateBin(size, question)],
      limit: tumbleLimit,
    });
  });
}

function hops(): Comparison[] {
  const hour = { sizeMinutes: 60, slideMinutes: 1 };
  const several: Aggregates = {
    c: 'count(*)',
    s: 'sum(amount)',
    a: 'avg(value)',
    lo: 'min(amount)',
    hi: 'max(value)',
  };
  return [
    compare({
      name: 'HOP 60/1 min, no key, beside TUMBLE',
      ours: hop(hour, {}),
      peers: [{ ...windowed(`TUMBLE(ts, ${minutes(1)})`, {}), label: 'TUMBLE 1 min' }],
      limit: hopToTumbleLimit,
      isSameQuestion: false,
    }),
    expansion({ ...hour, limit: hopSpeedUpLimit }),
    expansion({ ...hour, note: 'no key, 5 aggregates', question: { aggregates: several } }),
    expansion({ sizeMinutes: 17, slideMinutes: 5, limit: hopLimit }),
  ];
}

/**
 * The finer the slide and the more keys, the more rows the answer has. The heavy ones ask for
 * less of the week, which leaves as many rows per window and key as there were.
 */
function hopsWithKeys(): Comparison[] {
  const ranges: Readonly<Record<string, string>> = {
    'key1 60': '2 days',
    'key100 60': '1 day',
    'key100k 12': '2 days',
    'key100k 60': '6 hours',
  };
  return [2, 12, 60].flatMap((ratio) =>
    ['key1', 'key100', 'key100k'].map((key) => {
      const range = ranges[`${key} ${ratio}`];
      return expansion({
        sizeMinutes: 60,
        slideMinutes: 60 / ratio,
        question: range === undefined ? { key } : { key, range },
        limit: hopLimit,
      });
    }),
  );
}

function sessions(): Comparison[] {
  const cases = [
    { key: 'key100', gap: "INTERVAL '30 seconds'", about: '30 s' },
    { key: 'key100k', gap: minutes(10), about: '10 min' },
  ];
  return cases.map(({ key, gap, about }) =>
    compare({
      name: `SESSION ${about}, ${key}`,
      ours: windowed(`SESSION(ts, ${gap})`, { key }),
      peers: [byIslands(gap, { key })],
      limit: sessionLimit,
    }),
  );
}

function zones(): Comparison[] {
  const zone = 'America/New_York';
  return [
    compare({
      name: `TUMBLE 1 day in ${zone}, no key`,
      ours: windowed(`TUMBLE(ts, INTERVAL '1 day', '${zone}')`, {}),
      peers: [byDateTrunc(zone, {})],
    }),
  ];
}

type Hop = { readonly sizeMinutes: number; readonly slideMinutes: number };

function hop(window: Hop, question: Question): Statement {
  const [slide, size] = [minutes(window.slideMinutes), minutes(window.sizeMinutes)];
  return windowed(`HOP(ts, ${slide}, ${size})`, question);
}

function expansion(
  asked: Hop & {
    readonly question?: Question;
    readonly note?: string;
    readonly limit?: number;
  },
): Comparison {
  const { sizeMinutes, slideMinutes, question = {} } = asked;
  return compare({
    name: `HOP ${sizeMinutes}/${slideMinutes} min, ${asked.note ?? described(question)}`,
    ours: hop(asked, question),
    peers: byExpansion(asked, question),
    ...(asked.limit === undefined ? {} : { limit: asked.limit }),
  });
}

function described({ key, range }: Question): string {
  return `${key ?? 'no key'}${range === undefined ? '' : `, first ${range}`}`;
}

function compare(
  given: Pick<Comparison, 'name' | 'ours' | 'peers'> & {
    readonly limit?: number;
    readonly isSameQuestion?: boolean;
  },
): Comparison {
  return { isSameQuestion: true, limit: undefined, ...given };
}

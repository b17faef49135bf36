/** How an aggregate is computed per slice and put together again, as SQL. */
export type Decomposition = {
  /** Aggregates per slice, over the argument `{x}`; `count(*)` has none. */
  readonly partials: readonly string[];
  /** The aggregate of the window over the slices' columns `{0}`, `{1}` ... */
  readonly combined: string;
};

const oid = { int8: 20, int2: 21, int4: 23, money: 790, interval: 1186, numeric: 1700 } as const;
const smallIntegers: readonly number[] = [oid.int2, oid.int4];
const exactNumbers: readonly number[] = [oid.int2, oid.int4, oid.int8, oid.numeric];

const unchanged = new Set(
  'min max bool_and bool_or every bit_and bit_or bit_xor any_value'.split(' '),
);

/**
 * How an aggregate splits over slices with a result that is the same to the last digit and of the
 * same type, or undefined where it does not: floats (their sums depend on the order), stddev (its
 * square root is taken from more digits than a variance shows), and everything unknown.
 *
 * @param argumentType type OID of the argument, 0 where it is not known
 */
export function decompose(
  name: string,
  star: boolean,
  argumentType: number,
): Decomposition | undefined {
  if (name === 'count') {
    return { partials: [star ? 'count(*)' : 'count({x})'], combined: 'sum({0})::bigint' };
  }
  if (star) return undefined;
  if (unchanged.has(name)) return { partials: [`${name}({x})`], combined: `${name}({0})` };
  switch (name) {
    case 'sum':
      return sum(argumentType);
    case 'avg':
      return average(argumentType);
    case 'variance':
    case 'var_samp':
      return variance(argumentType, 1, 'n * (n - 1)');
    case 'var_pop':
      return variance(argumentType, 0, 'n * n');
    default:
      return undefined;
  }
}

/** Whether the argument's type decides how (or whether) an aggregate splits. */
export function dependsOnType(name: string): boolean {
  return ['sum', 'avg', 'variance', 'var_samp', 'var_pop'].includes(name);
}

function sum(type: number): Decomposition | undefined {
  // sum(bigint) is numeric, but the sum of integers is bigint: overflow is the same error.
  if (smallIntegers.includes(type)) return { partials: ['sum({x})'], combined: 'sum({0})::bigint' };
  const closed: readonly number[] = [oid.int8, oid.numeric, oid.interval, oid.money];
  return closed.includes(type) ? { partials: ['sum({x})'], combined: 'sum({0})' } : undefined;
}

function average(type: number): Decomposition | undefined {
  const partials = ['sum({x})', 'count({x})'];
  // The same division the aggregate itself ends with (int8_avg, numeric_avg, interval_avg).
  if (exactNumbers.includes(type)) {
    return { partials, combined: '(sum({0}) / nullif(sum({1}), 0))' };
  }
  if (type === oid.interval) {
    return { partials, combined: '(sum({0}) / nullif(sum({1}), 0)::float8)' };
  }
  return undefined;
}

/** As numeric_stddev_internal computes it, from the count, the sum and the sum of squares. */
function variance(type: number, above: number, divisor: string): Decomposition | undefined {
  if (!exactNumbers.includes(type)) return undefined;
  const terms = (text: string) =>
    text
      .replaceAll(/\bn\b/g, 'sum({1})')
      .replaceAll(/\bs\b/g, 'sum({0})')
      .replaceAll(/\bq\b/g, 'sum({2})');
  const numerator = '(n * q - s * s)';
  const combined = `(CASE WHEN n > ${above} THEN CASE WHEN ${numerator} <= 0 THEN 0 ELSE ${numerator} / (${divisor}) END END)`;
  return {
    partials: ['sum({x})', 'count({x})', 'sum({x}::numeric * {x}::numeric)'],
    combined: terms(combined),
  };
}

import { notAnInteger } from '../../core/errors/redis.ts';
import { textOf } from './command.ts';

const int64Max = 0x7fff_ffff_ffff_ffffn;

/** A whole number as Redis reads one: 64 bits, no blanks, no leading zeros. */
export function integerArgument(
  argument: Buffer | undefined,
  what: 'value' | 'timeout' = 'value',
): bigint {
  const text = textOf(argument);
  const value = /^(?:0|-?[1-9][0-9]{0,18})$/.test(text) ? BigInt(text) : undefined;
  if (value === undefined || value > int64Max || value < -int64Max - 1n) throw notAnInteger(what);
  return value;
}

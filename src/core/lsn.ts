/**
 * A position in the write-ahead log of one server: a byte offset, 64 bits. LSNs of different
 * servers or timelines mean nothing to each other, which is what a capture epoch is for.
 */
export type Lsn = bigint;

/** As Postgres prints a pg_lsn: `16/B374D848`. */
export function printLsn(lsn: Lsn): string {
  const high = (lsn >> 32n).toString(16).toUpperCase();
  return `${high}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`;
}

/** What Postgres takes for a pg_lsn; undefined for every other text. */
export function parseLsn(text: string): Lsn | undefined {
  const match = /^([0-9a-fA-F]{1,8})\/([0-9a-fA-F]{1,8})$/.exec(text);
  if (match === null) return undefined;
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

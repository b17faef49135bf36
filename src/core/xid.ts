const half = 1n << 31n;

/** The least 64-bit transaction id with these low 32 bits that is not before `atLeast`. */
export function xidFrom(xid: bigint, atLeast: bigint): bigint {
  return atLeast + BigInt.asUintN(32, xid - atLeast);
}

/**
 * The 64-bit transaction id with these low 32 bits that is nearest to `next`, the next one to be
 * given: ids that can be met are less than half the circle away from it. None is below 0.
 */
export function xidNear(xid: bigint, next: bigint): bigint {
  return xidFrom(xid, next < half ? 0n : next - half);
}

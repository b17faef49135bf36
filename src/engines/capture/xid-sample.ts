import type { Connection } from '../../postgres/connection.ts';

const half = 1n << 31n;
const whole = 1n << 32n;

/** The next transaction id of the server as of a moment ago: gives 32-bit ids their upper half. */
export class XidSample {
  readonly #connection: Connection;
  #next = 0n;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  static async open(connection: Connection): Promise<XidSample> {
    const sample = new XidSample(connection);
    await sample.renew();
    return sample;
  }

  async renew(): Promise<void> {
    const [row] = await this.#connection.query(
      'SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text AS next',
    );
    this.#next = BigInt(String(row?.['next']));
  }

  widen(xid: number): bigint {
    return widenXid(xid, this.#next);
  }
}

/** Ids that can be met are less than half the circle away from the next one. */
export function widenXid(xid: number, next: bigint): bigint {
  const candidate = next - (next % whole) + BigInt(xid);
  if (candidate > next + half) return candidate - whole;
  return candidate < next - half ? candidate + whole : candidate;
}

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

  /** Ids that can be met are less than half the circle away from the next one. */
  widen(xid: number): bigint {
    const candidate = this.#next - (this.#next % whole) + BigInt(xid);
    if (candidate > this.#next + half) return candidate - whole;
    return candidate < this.#next - half ? candidate + whole : candidate;
  }
}

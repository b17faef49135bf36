import type { NodeIdentity } from '../../catalog/node-registry.ts';
import type { CaptureMetrics, CaptureReport } from '../../contracts/capture-metrics.ts';
import type { Logger } from '../../contracts/logger.ts';
import type { ConnectionTarget } from '../../postgres/connection-target.ts';

/** The capture of one database by this node, and whom it tells what. */
export type CaptureTask = {
  readonly target: ConnectionTarget;
  /** Where the change log of this database is. */
  readonly directory: string;
  readonly node: NodeIdentity;
  /** `on`: capture begins without being asked for, unless somebody has said no. */
  readonly isOn: boolean;
  readonly logger: Logger;
  readonly metrics: CaptureMetrics;
  /**
   * A write to the log failed. LMDB does not write to it again in this process, which has to end.
   */
  readonly logFailed: () => void;
  /** Told when the state changes. */
  readonly report: (report: CaptureReport) => void;
};

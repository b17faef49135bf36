/** What capture counts; `database` is a label. It never throws. */
export interface CaptureMetrics {
  /** The log was flushed; how many changes it holds. */
  flushed(database: string, changes: number): void;
  /** Capture stopped with this SQLSTATE and is tried again. */
  failed(database: string, code: string): void;
}

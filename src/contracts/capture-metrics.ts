/** How the capture of a database is, as this node sees it. */
export type CaptureReport = {
  readonly database: string;
  /**
   * `off`: not wanted. `standby`: another node does it. `stopped`: somebody has to do something.
   * `failing`: it is tried again.
   */
  readonly state:
    | 'connecting'
    | 'off'
    | 'standby'
    | 'starting'
    | 'streaming'
    | 'stopped'
    | 'failing';
  readonly error:
    | { readonly code: string; readonly message: string; readonly hint: string | undefined }
    | undefined;
};

/** What the owner of a capture measures once a second. */
export type CaptureMeasure = {
  readonly epoch: number;
  readonly logBytes: number;
  readonly logChanges: number;
  /** WAL that the server has written and the log does not have, bytes. */
  readonly lagBytes: number;
  /** WAL that the slot makes the server keep, bytes. */
  readonly retainedBytes: number;
  readonly readers: number;
};

/** What capture counts; `database` is a label. It never throws. */
export interface CaptureMetrics {
  /** That many changes were appended and can be read now. */
  appended(database: string, changes: number): void;
  measured(database: string, measure: CaptureMeasure): void;
  /** Its state changed. */
  reported(report: CaptureReport): void;
  /** Capture stopped with this SQLSTATE and is tried again. */
  failed(database: string, code: string): void;
}

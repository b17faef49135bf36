import type { Change } from '../../contracts/change.ts';
import type { WalSamples } from '../../contracts/wal-samples.ts';
import type { Connection } from '../../postgres/connection.ts';
import { takeWalSample, WalSampleRecorder } from '../wal-samples.ts';
import type { SlotLog } from './slot-log.ts';

/** A log of changes as a case needs it. */
export interface CaseLog {
  readonly samples: WalSamples;
  /** What was committed since the last call. */
  read(): Promise<readonly Change[]>;
  /** Now is a moment at which the WAL may be sampled. */
  sample(): Promise<void>;
  close(): Promise<void>;
}

/** A slot that is read, and samples that are taken, when a case says so. */
export class SlotCaseLog implements CaseLog {
  readonly samples: WalSampleRecorder = new WalSampleRecorder(1);
  readonly #log: SlotLog;
  readonly #sampled: Connection;

  constructor(log: SlotLog, sampled: Connection) {
    this.#log = log;
    this.#sampled = sampled;
  }

  read(): Promise<readonly Change[]> {
    return this.#log.read();
  }

  async sample(): Promise<void> {
    this.samples.add(await takeWalSample(this.#sampled));
  }

  async close(): Promise<void> {
    await this.#log.drop();
    await this.#sampled.close();
  }
}

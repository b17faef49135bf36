/** What the supervisor and the processes of the roles say to each other. */

import type { CaptureReport } from '../../contracts/capture-metrics.ts';
import type { PgErrorFields } from '../../core/errors/pg-error.ts';
import type { CaptureState, PartState } from '../../http/node-view.ts';
import type { CollectedMetrics } from '../../observe/process-metrics.ts';
import type { Address } from '../config/address.ts';

export type ToRole =
  /** The answer to `hello`. The content is the role's own. */
  | { readonly kind: 'configure'; readonly configuration: unknown }
  /** To `http`, whenever something changed. */
  | {
      readonly kind: 'parts';
      readonly parts: readonly PartState[];
      readonly captures: readonly CaptureState[];
    }
  | { readonly kind: 'collect'; readonly id: number }
  /** Answered with `pong` by a process that is not stuck. */
  | { readonly kind: 'ping' }
  /** To `http`, the answer to its `collect-node`. */
  | {
      readonly kind: 'node-collected';
      readonly id: number;
      readonly collected: readonly CollectedMetrics[];
    }
  /** Serve nobody new, let what is open finish for that long, then exit. */
  | { readonly kind: 'drain'; readonly timeoutMs: number };

export type FromRole =
  /**
   * It listens to this channel now. What is sent earlier is lost in a process of the cluster
   * module, which reads the channel before the role's own code is loaded.
   */
  | { readonly kind: 'hello' }
  | { readonly kind: 'ready'; readonly addresses: Readonly<Record<string, Address>> }
  /** It cannot start as configured; the process exits with code 78 afterwards. */
  | { readonly kind: 'failed'; readonly error: PgErrorFields }
  | { readonly kind: 'pong' }
  /** From `engine`, when one of its captures changed state. */
  | { readonly kind: 'capture'; readonly report: CaptureReport }
  | { readonly kind: 'collected'; readonly id: number; readonly metrics: CollectedMetrics }
  | { readonly kind: 'collect-node'; readonly id: number };

import { configurationExitCode } from '../../core/errors/configuration.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import type { CollectedMetrics } from '../../observe/process-metrics.ts';
import type { Address } from '../config/address.ts';
import type { FromRole, ToRole } from '../supervisor/messages.ts';

/** What runs in a role's process once it is configured. */
export type RunningRole = {
  readonly addresses: Readonly<Record<string, Address>>;
  collect(): Promise<CollectedMetrics>;
  /** Resolves when nothing is open any more; the process exits then. */
  drain(timeoutMs: number): Promise<void>;
  /** Messages only this role knows. */
  receive?(message: ToRole): void;
};

/**
 * The life of a role's process: asks for its configuration, starts, answers the supervisor. It
 * ends when told to, or when the supervisor is gone, whose data it would otherwise outlive.
 */
export function serveRole<Configuration>(
  start: (configuration: Configuration) => Promise<RunningRole>,
): void {
  // A signal to the process group is the supervisor's to act on.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  process.on('SIGHUP', () => undefined);
  process.on('disconnect', () => process.exit(0));
  let role: RunningRole | undefined;
  process.on('message', (received) => {
    const message = received as ToRole;
    switch (message.kind) {
      case 'configure':
        start(message.configuration as Configuration).then((started) => {
          role = started;
          tell({ kind: 'ready', addresses: started.addresses });
        }, fail);
        return;
      case 'collect':
        role?.collect().then((metrics) => {
          tell({ kind: 'collected', id: message.id, metrics });
        }, fail);
        return;
      case 'ping':
        tell({ kind: 'pong' });
        return;
      case 'drain':
        void (role?.drain(message.timeoutMs) ?? Promise.resolve()).finally(() => process.exit(0));
        return;
      case 'parts':
      case 'node-collected':
        role?.receive?.(message);
        return;
    }
  });
  tell({ kind: 'hello' });
}

export function tell(message: FromRole): void {
  if (process.connected) process.send?.(message);
}

function fail(error: unknown): void {
  if (!(error instanceof PgError)) throw error;
  const { severity, code, message, detail, hint } = error;
  process.send?.({ kind: 'failed', error: { severity, code, message, detail, hint } }, () =>
    process.exit(configurationExitCode),
  );
}

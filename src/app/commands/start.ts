import { openLogger } from '../../observe/logger.ts';
import type { Configuration } from '../config/configuration.ts';
import { printGreeting } from '../greeting.ts';
import { Supervisor } from '../supervisor/supervisor.ts';

/**
 * Runs a node until it is told to stop by SIGTERM, SIGINT or SIGHUP. Rejects with the PgError that
 * ended it otherwise.
 */
export function start(configuration: Configuration, version: string): Promise<void> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const logger = openLogger({ level: configuration.logLevel, fields: { role: 'supervisor' } });
  return new Promise((resolve, reject) => {
    let stopping: Promise<void> | undefined;
    const stop = (): Promise<void> => {
      stopping ??= supervisor.stop();
      return stopping;
    };
    const fail = (error: unknown): void => {
      void stop().finally(() => reject(error));
    };
    const supervisor = new Supervisor({ configuration, version, logger, say, onFatal: fail });
    const onSignal = (signal: NodeJS.Signals): void => {
      if (stopping !== undefined && signal === 'SIGINT') supervisor.kill();
      logger.info('stopping', { signal });
      stop().then(resolve, reject);
    };
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal);
    // Who starts a node with a channel to it, and closes that, has ended or let go of it.
    process.on('disconnect', () => stop().then(resolve, reject));
    supervisor.start().then((addresses) => {
      if (stopping !== undefined) return;
      say(printGreeting(addresses, { ...configuration, upstream: supervisor.upstream() }));
    }, fail);
  });
}

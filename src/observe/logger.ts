import { destination, pino } from 'pino';
import type { Logger } from '../contracts/logger.ts';

/** A logger that writes one JSON object per line to stderr, at once, so that nothing is lost. */
export function openLogger(options: {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Part of every line, for example the role of the process. */
  readonly fields: Readonly<Record<string, unknown>>;
}): Logger {
  const stderr = destination({ fd: 2, sync: true });
  // A closed stderr must not end the process that logs to it.
  stderr.on('error', () => undefined);
  const writer = pino(
    {
      level: options.level,
      base: { pid: process.pid, ...options.fields },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
    },
    stderr,
  );
  return {
    debug: (message, fields) => writer.debug(fields ?? {}, message),
    info: (message, fields) => writer.info(fields ?? {}, message),
    warn: (message, fields) => writer.warn(fields ?? {}, message),
    error: (message, fields) => writer.error(fields ?? {}, message),
  };
}

import { destination, pino } from 'pino';
import type { Logger } from '../contracts/logger.ts';
import type { PgError } from '../core/errors/pg-error.ts';

function writtenOut(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack } = error;
  const { code, detail, hint } = error as Partial<PgError>;
  return { name, code, message, detail, hint, stack };
}

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
      // Left to JSON an Error would be an object without its message.
      serializers: { error: writtenOut },
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

/**
 * Where a part of the program says what happened. Levels promise something: `error` means a person
 * must act, `warn` is odd but recovered, `info` is a change of state, `debug` is off by default.
 * Messages are fragments without capitals; values go into fields. Never statement parameters or
 * secrets. A logger never throws.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/**
 * The keys that every line has of its own are not to be given again: of two equal keys a JSON
 * parser keeps the last. An Error under `error` is written out with its message and stack.
 */
export type LogFields = Readonly<Record<string, unknown>> & {
  readonly [reserved in 'level' | 'time' | 'pid' | 'role' | 'message']?: never;
};

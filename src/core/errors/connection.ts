import { PgError } from './pg-error.ts';

/**
 * Errors the proxy raises itself: before a session exists, or when it ends. Everything inside a
 * session is provoked in the backend instead, so that transaction state stays Postgres's own.
 */

/** The upstream server did not answer, or refused the connection. */
export function upstreamUnreachable(where: string, reason: string, cause?: unknown): PgError {
  return new PgError({
    severity: 'FATAL',
    code: '08006',
    message: 'could not connect to the upstream server',
    detail: `Connection to ${where} failed: ${reason}.`,
    hint: 'Check that the upstream server is running and that the proxy was given its address.',
    retryable: true,
    cause,
  });
}

/** The upstream has no TLS and the configuration insists on it. `where` names it as a server. */
export function upstreamWithoutTls(where: string): PgError {
  return new PgError({
    severity: 'FATAL',
    code: '08006',
    message: 'could not connect to the upstream server',
    detail: `The ${where} does not support TLS, and the upstream sslmode requires it.`,
    hint: 'Enable ssl on the upstream server, or use sslmode=prefer in the upstream URL.',
  });
}

/** The upstream closed an established session without saying why. */
export function upstreamLost(): PgError {
  return new PgError({
    severity: 'FATAL',
    code: '08006',
    message: 'the upstream server closed the connection unexpectedly',
    hint: 'See the log of the upstream server for the reason, and connect again.',
    retryable: true,
  });
}

/** A cancel request arrived while the statement was still here; worded as Postgres does. */
/** Worded as Postgres words it. */
export function statementTimedOut(): PgError {
  return new PgError({
    severity: 'ERROR',
    code: '57014',
    message: 'canceling statement due to statement timeout',
    retryable: true,
  });
}

export function statementCanceled(): PgError {
  return new PgError({
    severity: 'ERROR',
    code: '57014',
    message: 'canceling statement due to user request',
    retryable: true,
  });
}

/** The proxy is shutting down; worded as Postgres does. */
export function administratorShutdown(): PgError {
  return new PgError({
    severity: 'FATAL',
    code: '57P01',
    message: 'terminating connection due to administrator command',
    retryable: true,
  });
}

/** The proxy is shutting down and takes nobody new; worded as Postgres does. */
export function shuttingDown(): PgError {
  return new PgError({
    severity: 'FATAL',
    code: '57P03',
    message: 'the database system is shutting down',
    retryable: true,
  });
}

/** More clients than the proxy takes; worded as Postgres does. */
export function tooManyClients(clientsMax: number): PgError {
  return new PgError({
    severity: 'FATAL',
    code: '53300',
    message: 'sorry, too many clients already',
    detail: `The proxy takes at most ${clientsMax} connections.`,
    retryable: true,
  });
}

/** A startup packet whose number is no version, or a request that is repeated. */
export function unsupportedFrontendProtocol(major: number, minor: number): PgError {
  return new PgError({
    severity: 'FATAL',
    code: '0A000',
    message: `unsupported frontend protocol ${major}.${minor}: server supports 3.0 to 3.2`,
  });
}

/** Bytes followed an SSLRequest in the clear: somebody in between may have put them there. */
export function unencryptedDataAfterRequest(request: string): PgError {
  return new PgError({
    severity: 'FATAL',
    code: '08P01',
    message: `received unencrypted data after ${request} request`,
    detail: 'This could be either a client-software bug or evidence of an attempted attack.',
  });
}

/** Direct TLS must negotiate the protocol by ALPN. */
export function directTlsWithoutAlpn(): PgError {
  return new PgError({
    severity: 'FATAL',
    code: '08P01',
    message: 'received direct SSL connection request without ALPN protocol negotiation extension',
  });
}

/** A statement on which the parser worker was lost; worded as Postgres does for its own parser. */
export function statementTooComplex(): PgError {
  return new PgError({
    code: '54001',
    message: 'stack depth limit exceeded',
    detail: 'The statement uses a window function of HeliosDB and is too complex to be lowered.',
    hint: 'Simplify the statement, for instance by using shorter chains of operators.',
  });
}

/** Why a server could not be spoken to, as far as it calls for something else to be done. */
export type ConnectionFailure =
  | 'no-answer'
  | 'timeout'
  | 'unknown-host'
  | 'no-tls'
  | 'untrusted-certificate'
  | 'other-name'
  | 'tls';

const untrusted = /SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)|CERT_UNTRUSTED|INVALID_CA/;

export function classifyFailure(cause: unknown): ConnectionFailure {
  // Node reports several failed addresses of one host name together.
  if (cause instanceof AggregateError) return classifyFailure(cause.errors[0]);
  const { code = '', message = '' } = (cause ?? {}) as { code?: string; message?: string };
  if (code === 'ETIMEDOUT' || /timeout expired/.test(message)) return 'timeout';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'unknown-host';
  if (/does not support SSL/.test(message)) return 'no-tls';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'other-name';
  if (untrusted.test(code)) return 'untrusted-certificate';
  return /^(?:ERR_TLS|ERR_SSL|EPROTO|CERT_)/.test(code) ? 'tls' : 'no-answer';
}

export function reasonOfFailure(cause: unknown): string {
  if (cause instanceof AggregateError) return reasonOfFailure(cause.errors[0]);
  return cause instanceof Error ? cause.message : String(cause);
}

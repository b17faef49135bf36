import { reasonOfFailure } from '../../postgres/connection-failure.ts';
import { connectTimeoutMs } from '../../postgres/connection-target.ts';
import { isServing, type UpstreamProbe } from '../../postgres/probe-upstream.ts';
import { printUpstream, type Upstream } from '../config/upstream.ts';

/** What is wrong with an upstream and what to do about it. */
export type Advice = { readonly found: string; readonly mend: string };

/** In the same words for `check`, `start` and `/ready`. Nothing when it let us in. */
export function adviseOn(upstream: Upstream, probe: UpstreamProbe): Advice | undefined {
  switch (probe.kind) {
    case 'admitted':
      return undefined;
    case 'asked':
      return {
        found: `${printUpstream(upstream)} asks user ${upstream.user} for a password`,
        mend: 'write it into the URL of --upstream; clients bring their own all the same',
      };
    case 'refused':
      return adviseOnRefusal(upstream, probe);
    case 'unreachable':
      return adviseOnFailure(upstream, probe);
  }
}

/** The same for the embedded Postgres, which nobody has named and the node starts itself. */
export function adviseOnEmbedded(
  upstream: Upstream,
  probe: UpstreamProbe,
  logFile: string,
): Advice | undefined {
  const advice = adviseOn(upstream, probe);
  if (advice === undefined) return undefined;
  const found = `the embedded Postgres at ${advice.found}`;
  // What it says itself, that it is full for instance, is mended as anywhere.
  if (probe.kind !== 'unreachable') return { found, mend: advice.mend };
  return { found, mend: `wait until the node has started it again; ${logFile} says what keeps it` };
}

function adviseOnRefusal(
  upstream: Upstream,
  probe: UpstreamProbe & { readonly kind: 'refused' },
): Advice {
  const where = printUpstream(upstream);
  if (isServing(probe)) {
    return {
      found: `${where} refuses user ${upstream.user}: ${probe.message}`,
      mend: 'correct the user, password and database in the URL of --upstream',
    };
  }
  const found = `${where} does not serve now: ${probe.message}`;
  if (probe.code === '53300') {
    return { found, mend: 'end some of its connections, or raise its max_connections' };
  }
  return { found, mend: 'wait until it has started, and try again' };
}

function adviseOnFailure(
  upstream: Upstream,
  { failure, cause }: UpstreamProbe & { readonly kind: 'unreachable' },
): Advice {
  const where = printUpstream(upstream);
  const reason = reasonOfFailure(cause);
  switch (failure) {
    case 'timeout':
      return {
        found: `${where} did not answer within ${connectTimeoutMs / 1_000} seconds`,
        mend:
          'let connections to it through the firewalls in between, ' +
          'or correct the host and port in the URL of --upstream',
      };
    case 'unknown-host':
      return {
        found: `the host of ${where} is not known: ${reason}`,
        mend: 'correct the host in the URL of --upstream',
      };
    case 'no-tls':
      return {
        found: `${where} has no TLS, which sslmode=${upstream.sslMode} asks for`,
        mend: 'set ssl = on at the server, or sslmode=prefer in the URL of --upstream',
      };
    case 'untrusted-certificate':
      return {
        found: `the certificate of ${where} is not trusted: ${reason}`,
        mend: 'name the certificate of its authority with sslrootcert in the URL of --upstream',
      };
    case 'other-name':
      return {
        found: `the certificate of ${where} is for another host: ${reason}`,
        mend: 'write the host name of the certificate into the URL, or sslmode=verify-ca',
      };
    case 'tls':
      return {
        found: `TLS with ${where} failed: ${reason}`,
        mend: 'correct the certificate of the server, or sslmode in the URL of --upstream',
      };
    case 'no-answer':
      return {
        found: `${where} does not answer: ${reason}`,
        mend: 'start the server, or correct the host and port in the URL of --upstream',
      };
  }
}

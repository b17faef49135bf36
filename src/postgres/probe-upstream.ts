import type { Client } from 'pg';
import { connectTo } from './client.ts';
import { type ConnectionFailure, classifyFailure } from './connection-failure.ts';
import type { ConnectionTarget } from './connection-target.ts';

/** What a server does with somebody who connects. */
export type UpstreamProbe =
  /** It let us in; `asked` tells whether it wanted a password first. */
  | { readonly kind: 'admitted'; readonly asked: boolean }
  /** It wants a password that we do not have: it serves, but not us. */
  | { readonly kind: 'asked' }
  /** It answered with an error; `asked` tells whether it wanted a password first. */
  | {
      readonly kind: 'refused';
      readonly asked: boolean;
      readonly code: string;
      readonly message: string;
    }
  | {
      readonly kind: 'unreachable';
      readonly failure: ConnectionFailure;
      readonly cause: unknown;
    };

/** SQLSTATEs of a server that is there but does not serve now: starting, stopping, full. */
const notServing = /^(?:57P0[1-5]|53300)$/;

/** Whether clients with the right password would be served. */
export function isServing(probe: UpstreamProbe): boolean {
  if (probe.kind === 'refused') return !notServing.test(probe.code);
  return probe.kind !== 'unreachable';
}

/** Connects as configured and says how it went. Never rejects. */
export async function probeUpstream(target: ConnectionTarget): Promise<UpstreamProbe> {
  let asked = false;
  let client: Client;
  try {
    client = await connectTo(target, () => {
      asked = true;
      if (target.password === undefined) throw new TypeError('no password is configured');
      return target.password;
    });
  } catch (error) {
    if (asked && target.password === undefined) return { kind: 'asked' };
    const { code, severity, message } = error as Record<string, unknown>;
    // Only an ErrorResponse has a severity; the codes of sockets look different anyway.
    if (severity === undefined) {
      return { kind: 'unreachable', failure: classifyFailure(error), cause: error };
    }
    return { kind: 'refused', asked, code: String(code), message: String(message) };
  }
  await client.end().catch(() => undefined);
  return { kind: 'admitted', asked };
}

import { setTimeout as delay } from 'node:timers/promises';
import {
  upstreamNotServing,
  upstreamTrusts,
  upstreamTrustUnknown,
} from '../../core/errors/configuration.ts';
import { isServing, probeUpstream, type UpstreamProbe } from '../../postgres/probe-upstream.ts';
import { adviseOn } from '../check/upstream-advice.ts';
import { type Address, printAddress } from '../config/address.ts';
import type { Upstream } from '../config/upstream.ts';
import { Backoff } from './backoff.ts';

export type OpenTrustOptions = {
  readonly upstream: Upstream;
  /** Open to other machines. */
  readonly listen: Address;
  /** Told what a person may want to know, a line at a time. */
  readonly say: (line: string) => void;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  readonly probe?: (upstream: Upstream) => Promise<UpstreamProbe>;
};

/**
 * Through the proxy every client comes from the proxy's address, so a server that trusts that
 * address would let in whoever reaches the endpoint. Only a password that was asked for says that
 * it does not; waits until the server serves, and rejects when it says anything else.
 */
export async function refuseOpenTrust(options: OpenTrustOptions): Promise<void> {
  const { upstream, signal } = options;
  const listen = printAddress(options.listen);
  const ask = options.probe ?? probeUpstream;
  const backoff = new Backoff();
  while (!signal.aborted) {
    const probe = await ask(upstream);
    if (isServing(probe)) {
      if (probe.kind === 'asked' || (probe.kind !== 'unreachable' && probe.asked)) return;
      if (probe.kind === 'refused') {
        throw upstreamTrustUnknown(upstream.user, listen, probe.message);
      }
      throw upstreamTrusts(upstream.user, listen);
    }
    if (backoff.failures === 0) {
      const { found, mend } = adviseOn(upstream, probe) ?? { found: '', mend: '' };
      const { message, hint } = upstreamNotServing(found, mend);
      options.say(`${message}\nHINT:  ${hint}\nwaiting until it does`);
    }
    await delay(backoff.next(0), undefined, { signal }).catch(() => undefined);
  }
}

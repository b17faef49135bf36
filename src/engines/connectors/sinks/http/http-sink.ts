import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { OpenSink, Sink } from '../../../../contracts/sink.ts';
import { sinkDenied, sinkFailed, sinkUnreachable } from '../../../../core/errors/connectors.ts';

const timeoutStandardMs = 30_000;
const retryAfterMaxMs = 60_000;

/**
 * A POST of JSON for each batch, signed as Stripe signs: `HeliosDB-Signature: t=SECONDS,v1=HEX`,
 * the HMAC-SHA256 of `SECONDS.BODY`. Any answer of 2xx takes the batch.
 */
export const openHttpSink: OpenSink = async ({ connector, database, options, signal }) => {
  const url = options['url'] ?? '';
  const shown = withoutSecrets(url);
  const key = options['secret'];
  const head = `{"connector":${JSON.stringify(connector)},"database":${JSON.stringify(database)},"events":[`;
  const sink: Sink = {
    async deliver(batch) {
      const body = `${head}${batch.map(({ value }) => value).join(',')}]}`;
      const answer = await fetch(url, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...signature(key, body) },
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutStandardMs)]),
        redirect: 'error',
      }).catch((error: unknown): never => {
        const cause = (error as { readonly cause?: unknown }).cause ?? error;
        throw sinkUnreachable(
          `could not reach ${shown}`,
          cause,
          'Start it, or mend option url; it is tried again, and nothing is lost.',
        );
      });
      // Whatever is in it: the connection is used again only when it was read.
      await answer.arrayBuffer().catch(() => undefined);
      if (answer.ok) return;
      await waitAsAsked(answer.headers.get('retry-after'), signal);
      const said = `It answered ${answer.status} ${answer.statusText}.`;
      if (answer.status === 401 || answer.status === 403) {
        throw sinkDenied(`${shown} refused the changes`, said, 'Mend option secret on both sides.');
      }
      throw sinkFailed(`${shown} did not take the changes`, said, {
        hint: 'It has to answer 2xx; it is tried again, and nothing is lost.',
      });
    },
    async close() {},
  };
  return sink;
};

function signature(key: string | undefined, body: string): Record<string, string> {
  if (key === undefined) return {};
  const seconds = Math.floor(Date.now() / 1_000);
  const digest = createHmac('sha256', key).update(`${seconds}.${body}`).digest('hex');
  return { 'heliosdb-signature': `t=${seconds},v1=${digest}` };
}

/** Seconds, or a date. */
async function waitAsAsked(header: string | null, signal: AbortSignal): Promise<void> {
  if (header === null) return;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  if (!(ms > 0)) return;
  await delay(Math.min(ms, retryAfterMaxMs), undefined, { signal }).catch(() => undefined);
}

function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//').replace(/\?.*$/s, '');
}

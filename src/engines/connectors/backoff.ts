import { retryDelayMaxMs, retryDelayMinMs } from './limits.ts';

/** How long to wait after so many failures in a row: exponential, with full jitter. */
export function retryDelay(failures: number, random: () => number = Math.random): number {
  const most = Math.min(retryDelayMaxMs, retryDelayMinMs * 2 ** Math.min(failures, 20));
  return Math.ceil(random() * most);
}

import { parseUpstream } from '../../src/app/config/upstream.ts';
import type { ConnectionTarget } from '../../src/postgres/connection-target.ts';

export function targetOf(url: string): ConnectionTarget {
  return parseUpstream(url, 'the address of the server');
}

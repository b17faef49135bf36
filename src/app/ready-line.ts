import { type Address, parseAddress, printAddress } from './config/address.ts';

/** Where a node can be reached, as far as its roles listen. */
export type NodeAddresses = {
  readonly listen?: Address | undefined;
  readonly redis?: Address | undefined;
  readonly http?: Address | undefined;
  readonly metrics?: Address | undefined;
};

/** The one line other programs wait for. */
export function printReadyLine({ listen, redis, http, metrics }: NodeAddresses): string {
  const others = [
    ...(redis ? [`redis ${printAddress(redis)}`] : []),
    ...(http ? [`http ${printAddress(http)}`] : []),
    ...(metrics ? [`metrics ${printAddress(metrics)}`] : []),
  ];
  const endpoint = listen ? ` on ${printAddress(listen)}` : '';
  const rest = others.length > 0 ? ` (${others.join(', ')})` : '';
  return `heliosdb ready${endpoint}${rest}`;
}

export function parseReadyLine(output: string): NodeAddresses | undefined {
  const line = /^heliosdb ready(?: on (\S+))?(?: \((.*)\))?\r?\n/m.exec(output);
  if (line === null) return undefined;
  const other = (name: string): Address | undefined =>
    parseAddress(new RegExp(`${name} ([^ ,]+)`).exec(line[2] ?? '')?.[1] ?? '');
  return {
    listen: parseAddress(line[1] ?? ''),
    redis: other('redis'),
    http: other('http'),
    metrics: other('metrics'),
  };
}

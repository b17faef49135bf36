import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { upstreamIsItself } from '../../core/errors/configuration.ts';
import { type Address, isLoopback, printAddress } from '../config/address.ts';
import { printUpstream, type Upstream } from '../config/upstream.ts';

const everyInterface = ['0.0.0.0', '::'];

/**
 * Rejects when connections to the upstream would arrive at this node's own endpoint, which would
 * then connect to itself until no file descriptor is left.
 */
export async function refuseOwnEndpoint(upstream: Upstream, listen: Address): Promise<void> {
  if (upstream.host.startsWith('/') || upstream.port !== listen.port) return;
  const upstreamHosts = await addressesOf(upstream.host);
  const listenHosts = await addressesOf(listen.host);
  const listensEverywhere = listenHosts.some((host) => everyInterface.includes(host));
  const own = upstreamHosts.some(
    (host) => listenHosts.includes(host) || (listensEverywhere && isOfThisMachine(host)),
  );
  if (own) throw upstreamIsItself(printUpstream(upstream), printAddress(listen));
}

/** A name that is not known leads nowhere, so not to this node either. */
async function addressesOf(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.flatMap(({ address }) => {
    // To connect to every interface is to connect to loopback.
    if (address === '0.0.0.0') return [address, '127.0.0.1'];
    return address === '::' ? [address, '::1', '127.0.0.1'] : [withoutMapping(address)];
  });
}

/** An address of version 4, however it was written. */
function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

function isOfThisMachine(host: string): boolean {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return (
    everyInterface.includes(host) || isLoopback(host) || own.some(({ address }) => address === host)
  );
}

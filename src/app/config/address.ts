/** A place to listen on. Port 0 lets the operating system choose. */
export type Address = { readonly host: string; readonly port: number };

/** Reads `HOST:PORT`, `[v6]:PORT`, `:PORT` (every interface, IPv4) or `PORT` (loopback). */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text.trim());
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port > 65_535) return undefined;
  const named = match[1] ?? match[2];
  return { host: named === undefined ? '127.0.0.1' : named || '0.0.0.0', port };
}

export function printAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether it stands for all addresses of this machine, and so is none to connect to. */
export function isEveryInterface(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** Whether only processes of this machine can connect. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

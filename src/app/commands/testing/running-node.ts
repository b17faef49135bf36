import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CaptureState, PartState } from '../../../http/node-view.ts';
import type { TestEndpoint } from '../../../testing/test-endpoint.ts';

const main = fileURLToPath(new URL('../../main.js', import.meta.url));

export type Health = {
  readonly status: string;
  readonly parts: readonly PartState[];
  readonly captures: readonly CaptureState[];
};
export type Readiness = { readonly status: number; readonly missing: readonly string[] };

export function urlOf({ host, port }: TestEndpoint): string {
  return `postgres://postgres@${host}:${port}/postgres`;
}

export async function healthOf({ httpPort }: TestEndpoint): Promise<Health> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/health`);
  assert.equal(response.status, 200);
  return (await response.json()) as Health;
}

export async function partOf(endpoint: TestEndpoint, name: string): Promise<PartState | undefined> {
  const { parts } = await healthOf(endpoint);
  return parts.find((part) => part.name === name);
}

export async function readinessOf({ httpPort }: TestEndpoint): Promise<Readiness> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/ready`);
  const { missing } = (await response.json()) as { missing: string[] };
  return { status: response.status, missing };
}

export async function scrape({ metricsPort }: TestEndpoint): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
  assert.equal(response.status, 200);
  return response.text();
}

/** A sample of a scrape: its name without the prefix, one of its labels, how its value begins. */
export function sample(name: string, label: string, value: string): RegExp {
  return new RegExp(`^heliosdb_${name}\\{[^}]*${label}[^}]*\\} ${value}`, 'm');
}

/** Runs the real command until it ends by itself. */
export function runCommand(...args: string[]): {
  status: number | null;
  stdout: string;
  stderr: string;
} {
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', timeout: 20_000 });
}

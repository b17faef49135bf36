import { readFileSync } from 'node:fs';

export type Migration = { readonly number: number; readonly name: string; readonly sql: string };

/**
 * The steps that make the `heliosdb` schema, in order. A step that was released is frozen; a new
 * one only adds, so that a node of the version before runs on the schema of the next.
 */
const names = [
  '001-capture',
  '002-publications',
  '003-schema-watch',
  '004-secrets',
  '005-exclusions',
  '006-connectors',
] as const;

export function migrations(): readonly Migration[] {
  return names.map((name) => ({
    number: Number.parseInt(name, 10),
    name,
    sql: readFileSync(new URL(`./migrations/${name}.sql`, import.meta.url), 'utf8'),
  }));
}

import { join } from 'node:path';

/** Where the change log of a database lies; a name may hold what a file name may not. */
export function changeLogDirectory(dataDirectory: string, database: string): string {
  const name = encodeURIComponent(database).replaceAll('.', '%2E');
  return join(dataDirectory, 'changelog', name);
}

import { appendFileSync } from 'node:fs';

/*
 * Places where a crash test ends the process: `HELIOSDB_FAILPOINTS=capture.append:3,...` kills it by
 * SIGKILL when it comes by for the third time. `HELIOSDB_FAILPOINT_LOG` names a file to which each
 * such end is written before, so that a test can tell which were hit.
 */
const armed: Map<string, number> = new Map(
  (process.env['HELIOSDB_FAILPOINTS'] ?? '')
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const [name = '', count = '1'] = part.split(':');
      return [name, Number(count)] as const;
    }),
);
const isArmed: boolean = armed.size > 0;

/** Costs one comparison when nobody asked for it. */
export function failpoint(name: string): void {
  if (!isArmed) return;
  const left = armed.get(name);
  if (left === undefined) return;
  armed.set(name, left - 1);
  if (left > 1) return;
  const log = process.env['HELIOSDB_FAILPOINT_LOG'];
  if (log !== undefined) appendFileSync(log, `${name}\n`);
  process.kill(process.pid, 'SIGKILL');
}

import { Mismatch } from '../format/test-failure.ts';
import type { Action } from '../run-context.ts';

/** `$ protocol simple` or `$ protocol extended [binary] [rows=N]`, for the records that follow. */
export const protocol: Action = async (run, _block, argument) => {
  const [kind, ...options] = argument.split(' ');
  if (kind !== 'simple' && kind !== 'extended') {
    throw new Mismatch('"$ protocol" is simple or extended');
  }
  let binaryResults = false;
  let rowsMax = 0;
  for (const option of options) {
    const rows = /^rows=(\d+)$/.exec(option)?.[1];
    if (kind === 'extended' && option === 'binary') binaryResults = true;
    else if (kind === 'extended' && rows !== undefined) rowsMax = Number(rows);
    else throw new Mismatch(`"${option}" is no option of the ${kind} protocol`);
  }
  run.sending = { protocol: kind, binaryResults, rowsMax };
};

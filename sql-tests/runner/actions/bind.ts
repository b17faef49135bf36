import { Mismatch } from '../format/test-failure.ts';
import { readValue } from '../format/values.ts';
import type { Action, RunContext } from '../run-context.ts';
import type { Parameter } from '../wire/client-messages.ts';

/**
 * `$ bind` gives the next record parameters, one a line: a type (`undeclared` leaves it to the
 * server), a space, the value. Hexadecimal digits after `0x` are sent in binary format.
 */
export const bind: Action = async (run, block) => {
  const bound = block.body.split('\n').map((line) => {
    const at = line.indexOf(' ');
    if (at === -1) throw new Mismatch(`"${line}" is not a type and a value`);
    return { type: typeOid(run, line.slice(0, at)), value: parameter(line.slice(at + 1)) };
  });
  run.bindNext({
    types: bound.map(({ type }) => type),
    values: bound.map(({ value }) => value),
  });
};

export function typeOid(run: RunContext, name: string): number {
  const oid = run.types.oidOf(name);
  if (oid === undefined) throw new Mismatch(`there is no type ${name}`);
  return oid;
}

export function parameter(written: string): Parameter {
  if (written.startsWith('0x')) {
    return { format: 'binary', bytes: Buffer.from(written.slice(2), 'hex') };
  }
  const text = readValue(written);
  return text === null ? { format: 'null' } : { format: 'text', text };
}

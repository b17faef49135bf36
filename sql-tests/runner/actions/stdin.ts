import { Mismatch } from '../format/test-failure.ts';
import type { Action } from '../run-context.ts';

/**
 * `$ stdin` is what the next record's COPY FROM STDIN reads, `$ stdin hex` its bytes in hexadecimal
 * digits, `$ stdin fail REASON` has the client give up.
 */
export const stdin: Action = async (run, block, argument) => {
  const [kind = '', ...reason] = argument.split(' ');
  if (kind === '') {
    run.feedNext({ kind: 'data', data: block.body === '' ? '' : `${block.body}\n` });
  } else if (kind === 'hex') {
    run.feedNext({ kind: 'data', data: Buffer.from(block.body.replace(/\s/g, ''), 'hex') });
  } else if (kind === 'fail') {
    run.feedNext({ kind: 'fail', reason: reason.join(' ') });
  } else {
    throw new Mismatch(
      `"$ stdin ${argument}" is none of $ stdin, $ stdin hex, $ stdin fail REASON`,
    );
  }
};

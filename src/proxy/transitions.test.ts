import assert from 'node:assert/strict';
import { serverMessage } from '../protocol/message-types.ts';
import { ResponseQueue } from './response-queue.ts';
import type { Expectation, ServerEvent } from './transitions.ts';
import { type Action, actionFor, columns, expectations, transitions } from './transitions.ts';

/** What the manual's message flow allows while something is expected, by type byte. */
const allowed: Record<Expectation, { readonly meets: string; readonly keeps: string }> = {
  idle: { meets: '', keeps: 'E' },
  startup: { meets: 'Z', keeps: 'RKvE' },
  query: { meets: 'Z', keeps: 'TDCIEHWdcG' },
  'query-copy-in': { meets: 'Z', keeps: 'CE' },
  parse: { meets: '1', keeps: '' },
  bind: { meets: '2', keeps: '' },
  'describe-statement': { meets: 'Tn', keeps: 't' },
  'describe-portal': { meets: 'Tn', keeps: '' },
  execute: { meets: 'CIs', keeps: 'DHWdcG' },
  'execute-copy-in': { meets: 'C', keeps: '' },
  close: { meets: '3', keeps: '' },
  sync: { meets: 'Z', keeps: 'E' },
  'function-call': { meets: 'Z', keeps: 'VE' },
  'probe-parse': { meets: '1', keeps: '' },
  'probe-describe': { meets: 'Tn', keeps: 't' },
  'probe-close': { meets: '3', keeps: '' },
  survey: { meets: 'Z', keeps: '123DCE' },
  'question-bind': { meets: '2', keeps: '' },
  'question-execute': { meets: 'CIs', keeps: 'D' },
  'follow-parse': { meets: '1', keeps: '' },
  'follow-describe': { meets: 'Tn', keeps: 't' },
  'follow-rows': { meets: 'CIs', keeps: 'D' },
};

const asynchronous = 'NAS';

/** The rows of what is followed, and their description, are the client's. */
const shownOfFollow: Partial<Record<Expectation, string>> = {
  'follow-parse': 'N',
  'follow-describe': 'TN',
  'follow-rows': 'DN',
};

function expectedAction(expectation: Expectation, type: string): Action {
  const { meets, keeps } = allowed[expectation];
  const isHidden =
    /^(?:probe-|question-|follow-|survey$)/.test(expectation) &&
    shownOfFollow[expectation]?.includes(type) !== true;
  if (type === 'N' && isHidden) return 'hide';
  if (asynchronous.includes(type)) return 'keep';
  if (type === 'G' && keeps.includes('G')) return 'copy-in';
  if (expectation === 'query-copy-in' && keeps.includes(type)) return 'copy-out-of-in';
  if (keeps.includes(type)) return isHidden ? 'hide' : 'keep';
  if (type === 'Z' && meets !== 'Z') return 'heal';
  if (type === 'Z') return isHidden ? 'hide-ready' : 'ready';
  if (meets.includes(type)) return isHidden ? 'hide-pop' : 'pop';
  if (type === 'E') return 'skip';
  return 'odd';
}

describe('transition table', () => {
  for (const expectation of expectations) {
    for (const column of columns) {
      const type = String.fromCharCode(serverMessage[column]);
      const expected = expectedAction(expectation, type);
      it(`${expectation} × ${column}: ${expected}`, () => {
        assert.equal(transitions[expectation][column], expected);
        assert.equal(actionFor(expectations.indexOf(expectation), serverMessage[column]), expected);
      });
    }
  }

  it('has a column for each server message', () => {
    assert.deepEqual([...columns].sort(), (Object.keys(serverMessage) as ServerEvent[]).sort());
  });

  it('calls every unknown type odd', () => {
    const known = new Set<number>(Object.values(serverMessage));
    for (const [number] of expectations.entries()) {
      for (let type = 0; type < 256; type++) {
        if (!known.has(type)) assert.equal(actionFor(number, type), 'odd');
      }
    }
  });

  it('is where the queue takes its actions from', () => {
    const queue = new ResponseQueue<never>(() => undefined);
    assert.equal(queue.actionFor(serverMessage.readyForQuery), 'heal');
    queue.sent('parse');
    assert.equal(queue.actionFor(serverMessage.parseComplete), 'pop');
  });
});

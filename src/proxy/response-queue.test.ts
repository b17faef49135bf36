import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expectedResponsesMax } from '../core/limits.ts';
import { type Entry, ResponseQueue } from './response-queue.ts';
import type { Action } from './transitions.ts';

type Note = string;

function newQueue() {
  const dropped: Note[] = [];
  const queue = new ResponseQueue<Note>((note) => dropped.push(note));
  return { queue, dropped };
}

/** Feeds server messages by their type bytes; returns the actions. */
function receive(queue: ResponseQueue<Note>, types: string): Action[] {
  return [...types].map((type) => {
    const action = queue.actionFor(type.charCodeAt(0));
    queue.apply(action, type === 'Z' ? 'I' : undefined);
    return action;
  });
}

function send(queue: ResponseQueue<Note>, ...entries: readonly Entry[]): void {
  for (const entry of entries) queue.sent(entry);
}

describe('response queue', () => {
  it('is met in order (invariant 2)', () => {
    const { queue } = newQueue();
    send(queue, 'parse', 'bind', 'describe-portal', 'execute', 'sync', 'query');
    receive(queue, '12TDDC');
    assert.equal(queue.head, 'sync');
    receive(queue, 'Z');
    assert.equal(queue.head, 'query');
    receive(queue, 'TDCTDCZ');
    assert.ok(queue.isEmpty);
  });

  it('drops what the backend skips after an error, Query included (invariant 3)', () => {
    const { queue } = newQueue();
    send(queue, 'parse', 'bind', 'execute', 'query', 'sync', 'parse');
    receive(queue, '1E');
    assert.equal(queue.head, 'sync');
    assert.ok(!queue.isSkipping);
    receive(queue, 'Z');
    assert.equal(queue.head, 'parse');
  });

  it('registers nothing but Sync while skipping (invariant 3)', () => {
    const { queue, dropped } = newQueue();
    send(queue, 'parse');
    receive(queue, 'E');
    assert.ok(queue.isSkipping);
    queue.sent('bind', 'ignored');
    send(queue, 'query', 'function-call', 'copy-end');
    assert.ok(queue.isEmpty);
    assert.deepEqual(dropped, ['ignored']);
    send(queue, 'sync', 'query');
    assert.equal(queue.length, 2);
    receive(queue, 'ZCZ');
    assert.ok(queue.isEmpty);
  });

  it('stays with a Sync whose commit fails', () => {
    const { queue } = newQueue();
    send(queue, 'execute', 'sync');
    assert.deepEqual(receive(queue, 'CEZ'), ['pop', 'keep', 'ready']);
    assert.ok(queue.isEmpty);
  });

  it('heals at a ReadyForQuery the head does not wait for (invariant 4)', () => {
    const { queue, dropped } = newQueue();
    queue.sent('parse', 'one');
    send(queue, 'bind', 'sync', 'query');
    receive(queue, 'Z');
    assert.equal(queue.head, 'query');
    assert.deepEqual(dropped, ['one']);
    receive(queue, 'ZZ');
    assert.ok(queue.isEmpty);
  });

  it('ends skipping at ReadyForQuery whatever the queue says (invariant 4)', () => {
    const { queue } = newQueue();
    send(queue, 'parse');
    receive(queue, 'EZ');
    assert.ok(!queue.isSkipping);
  });

  it('forgets Syncs the backend reads as copy data (invariant 5)', () => {
    const { queue } = newQueue();
    send(queue, 'bind', 'execute', 'sync', 'sync', 'copy-end', 'sync');
    receive(queue, '2G');
    assert.equal(queue.length, 2);
    assert.ok(!queue.isCopyOpen);
    receive(queue, 'CZ');
    assert.ok(queue.isEmpty);
  });

  it('does not register Syncs during a copy (invariant 5)', () => {
    const { queue } = newQueue();
    send(queue, 'execute', 'sync');
    receive(queue, 'G');
    assert.ok(queue.isCopyOpen);
    send(queue, 'sync', 'copy-end', 'sync');
    assert.equal(queue.length, 2);
    receive(queue, 'CZ');
    assert.ok(queue.isEmpty);
  });

  it('survives a copy that fails in the middle', () => {
    const { queue } = newQueue();
    send(queue, 'execute');
    receive(queue, 'GE');
    assert.ok(queue.isSkipping);
    send(queue, 'copy-end', 'sync');
    receive(queue, 'Z');
    assert.ok(queue.isEmpty);
  });

  it('goes on with the Query after each of its copies', () => {
    const { queue } = newQueue();
    send(queue, 'query', 'copy-end', 'copy-end', 'query');
    receive(queue, 'G');
    assert.equal(queue.head, 'query-copy-in');
    receive(queue, 'CGCZ');
    assert.equal(queue.head, 'query');
    receive(queue, 'CZ');
    assert.ok(queue.isEmpty);
  });

  it('drops the mark of a copy that never began', () => {
    const { queue } = newQueue();
    send(queue, 'query', 'copy-end', 'query');
    receive(queue, 'EZ');
    assert.equal(queue.head, 'query');
    assert.equal(queue.length, 1);
  });

  it('keeps notes with their entries when it grows and when a copy removes others', () => {
    const { queue, dropped } = newQueue();
    queue.sent('execute', 'copy');
    queue.sent('sync', 'ignored');
    send(queue, 'copy-end');
    for (let i = 0; i < 200; i++) queue.sent('parse', `parse ${i}`);
    receive(queue, 'G');
    assert.equal(queue.headNote, 'copy');
    receive(queue, 'C');
    assert.deepEqual(dropped, ['ignored']);
    for (let i = 0; i < 200; i++) {
      assert.equal(queue.headNote, `parse ${i}`);
      receive(queue, '1');
    }
    assert.equal(queue.headNote, undefined);
  });

  it('is full at its maximum (invariant 7)', () => {
    const { queue } = newQueue();
    for (let i = 0; i < expectedResponsesMax; i++) {
      assert.ok(!queue.isFull);
      send(queue, 'parse');
    }
    assert.ok(queue.isFull);
    receive(queue, '1');
    assert.ok(!queue.isFull);
  });

  it('notes the transaction status (invariant 10)', () => {
    const { queue } = newQueue();
    send(queue, 'query');
    queue.apply(queue.actionFor(0x5a), 'T');
    assert.equal(queue.status, 'T');
  });
});

/** A backend as far as messages go: what it answers to each request, as postgres.c does. */
class ModelBackend {
  #skipping = false;
  #copy: 'query' | 'execute' | undefined;

  answer(entry: Entry, fate: Fate): string {
    if (this.#copy !== undefined) return this.#copyAnswer(entry, fate);
    if (entry === 'copy-end') return '';
    if (this.#skipping && entry !== 'sync') return '';
    const fails = fate === 'error';
    switch (entry) {
      case 'query':
        if (fate !== 'copy') return fails ? 'TDEZ' : 'TDCNCZ';
        this.#copy = 'query';
        return 'G';
      case 'execute':
        if (fate !== 'copy') return fails ? this.#fail('D') : 'DDC';
        this.#copy = 'execute';
        return 'G';
      case 'sync':
        this.#skipping = false;
        return fails ? 'EZ' : 'Z';
      case 'function-call':
        return fails ? 'EZ' : 'VZ';
      case 'describe-statement':
        return fails ? this.#fail('t') : 'tT';
      case 'describe-portal':
        return fails ? this.#fail('') : 'n';
      default:
        return fails ? this.#fail('') : { parse: '1', bind: '2', close: '3' }[entry as 'parse'];
    }
  }

  #fail(before: string): string {
    this.#skipping = true;
    return `${before}E`;
  }

  #copyAnswer(entry: Entry, fate: Fate): string {
    if (entry === 'sync') return '';
    const of = this.#copy;
    this.#copy = undefined;
    if (entry === 'copy-end' && fate !== 'error') return of === 'query' ? 'CZ' : 'C';
    return of === 'query' ? 'EZ' : this.#fail('');
  }
}

type Fate = 'fine' | 'error' | 'copy';

const entryArbitrary = fc.constantFrom<Entry>(
  'query',
  'parse',
  'bind',
  'describe-statement',
  'describe-portal',
  'execute',
  'close',
  'sync',
  'function-call',
  'copy-end',
);
const fateArbitrary = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>('fine') },
  { weight: 1, arbitrary: fc.constant<Fate>('error') },
  { weight: 1, arbitrary: fc.constant<Fate>('copy') },
);
/** A step: the client sends, the backend works, or one response arrives. */
const stepArbitrary = fc.oneof(
  fc.record({ kind: fc.constant('send' as const), entry: entryArbitrary }),
  fc.record({ kind: fc.constant('work' as const), fate: fateArbitrary }),
  fc.record({ kind: fc.constant('receive' as const) }),
);

describe('response queue against a model of the backend', () => {
  it('knows what each response is for, whoever is faster', () => {
    fc.assert(
      fc.property(fc.array(stepArbitrary, { maxLength: 80 }), (steps) => {
        const { queue } = newQueue();
        const backend = new ModelBackend();
        const requests: Entry[] = [];
        let responses = '';
        const work = (fate: Fate): void => {
          const entry = requests.shift();
          if (entry !== undefined) responses += backend.answer(entry, fate);
        };
        const arrive = (): void => {
          if (responses === '') return;
          const [action] = receive(queue, responses[0]!);
          assert.ok(action !== 'odd' && action !== 'heal', `${responses[0]} is ${action}`);
          responses = responses.slice(1);
        };
        const act = (step: (typeof steps)[number]): void => {
          if (step.kind === 'send') {
            requests.push(step.entry);
            queue.sent(step.entry);
          } else if (step.kind === 'work') work(step.fate);
          else arrive();
        };
        for (const step of steps) act(step);
        // However it stands, ending the copy and a Sync bring everything to rest.
        for (const entry of ['copy-end', 'sync'] as const) act({ kind: 'send', entry });
        while (requests.length > 0) work('fine');
        while (responses !== '') arrive();
        assert.ok(queue.isEmpty, `${queue.length} left, ${queue.head} first`);
        assert.ok(!queue.isSkipping && !queue.isCopyOpen);
      }),
      { numRuns: 2000 },
    );
  });
});

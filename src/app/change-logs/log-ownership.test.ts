import assert from 'node:assert/strict';
import type { LogOwner } from '../../catalog/log-owner.ts';
import { ownershipAgeMaxMs, ownershipAskAgainMs, ownershipPatienceMs } from '../limits.ts';
import { LogOwnership } from './log-ownership.ts';

describe('who has a log', () => {
  it('is asked before whoever reads after a while is told', async () => {
    const catalog = openCatalog();
    catalog.answers('first');
    assert.equal(await catalog.known(), 'first');
    catalog.answers('second');
    catalog.pass(ownershipAgeMaxMs + 1);
    assert.equal(await catalog.known(), 'second');
  });

  it('is told from memory while somebody reads all the time, and asked beside that', async () => {
    const catalog = openCatalog();
    catalog.answers('first');
    for (let reads = 0; reads < 3; reads += 1) assert.equal(await catalog.known(), 'first');
    assert.equal(catalog.questions(), 1);
    const answer = catalog.answersLater();
    catalog.pass(ownershipAskAgainMs + 1);
    for (let reads = 0; reads < 3; reads += 1) assert.equal(await catalog.known(), 'first');
    assert.equal(catalog.questions(), 2);
    answer('second');
    await catalog.settled();
    assert.equal(await catalog.known(), 'second');
  });

  it('is of the age of the question, not of the answer', async () => {
    const catalog = openCatalog();
    const answer = catalog.answersLater();
    const asked = catalog.known();
    catalog.pass(ownershipAgeMaxMs + 1);
    answer('first');
    assert.equal(await asked, 'first');
    catalog.answers('second');
    assert.equal(await catalog.known(), 'second');
  });

  it('is what it was while the catalog lets whoever asks wait', async () => {
    const catalog = openCatalog();
    catalog.answers('first');
    await catalog.known();
    const answer = catalog.answersLater();
    catalog.pass(ownershipAgeMaxMs + 1);
    const waiting = catalog.known();
    catalog.pass(ownershipPatienceMs);
    assert.equal(await catalog.known(), 'first');
    assert.equal(await catalog.latest(), 'first');
    assert.equal(catalog.questions(), 2);
    answer('second');
    assert.equal(await waiting, 'second');
  });

  it('is asked anew for whoever has found it wrong, also when it is being asked', async () => {
    const catalog = openCatalog();
    catalog.answers('first');
    await catalog.known();
    const answer = catalog.answersLater();
    catalog.pass(ownershipAskAgainMs + 1);
    await catalog.known();
    catalog.pass(1);
    const latest = catalog.latest();
    catalog.answers('second');
    answer('first');
    assert.equal(await latest, 'second');
    assert.equal(catalog.questions(), 3);
  });
});

/** A catalog that answers as it is told, and a clock that stands still. */
function openCatalog() {
  let now = 0;
  let questions = 0;
  let owner: () => Promise<LogOwner | undefined> = async () => undefined;
  const source = {
    owner: () => {
      questions += 1;
      return owner();
    },
    secret: async () => undefined,
    close: async () => undefined,
  };
  const ownership = new LogOwnership('shop', source, () => now);
  const ownedBy = (node: string): LogOwner => ({ term: 1, node, host: 'h', logAddress: undefined });
  const nameOf = (known: Awaited<ReturnType<LogOwnership['known']>>): string =>
    known.kind === 'owner' ? known.node : known.kind;
  return {
    answers: (node: string) => {
      owner = async () => ownedBy(node);
    },
    answersLater: () => {
      let answer: (owned: LogOwner) => void = () => undefined;
      const answered = new Promise<LogOwner>((resolve) => {
        answer = resolve;
      });
      owner = () => answered;
      return (node: string) => answer(ownedBy(node));
    },
    pass: (ms: number) => {
      now += ms;
    },
    known: async () => nameOf(await ownership.known()),
    latest: async () => nameOf(await ownership.latest()),
    questions: () => questions,
    /** Until what was answered is known. */
    settled: () => new Promise<void>((resolve) => setImmediate(resolve)),
  };
}

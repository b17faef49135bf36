import { expectedResponsesMax } from '../core/limits.ts';
import type { TransactionStatus } from '../protocol/ready-for-query.ts';
import { type Action, actionFor, type Expectation, expectations } from './transitions.ts';

/** What is put into the queue: an expectation, or the mark of a copy's end. */
export type Entry = Exclude<Expectation, 'idle' | 'query-copy-in' | 'execute-copy-in'> | 'copy-end';

const numberOf: ReadonlyMap<string, number> = new Map(expectations.map((name, i) => [name, i]));
const idle = numberOf.get('idle')!;
const query = numberOf.get('query')!;
const queryCopyIn = numberOf.get('query-copy-in')!;
const execute = numberOf.get('execute')!;
const executeCopyIn = numberOf.get('execute-copy-in')!;
const sync = numberOf.get('sync')!;
/** Not an expectation: it owes nothing. */
const copyEnd = expectations.length;
const endsWithReady: ReadonlySet<number> = new Set(
  ['startup', 'query', 'query-copy-in', 'sync', 'function-call', 'survey'].map(
    (name) => numberOf.get(name)!,
  ),
);

const initialCapacity = 64;

/**
 * What the backend still owes, in order (session-protocol.md). A ring of small numbers; the notes
 * that a few entries carry lie beside it, so that an ordinary message allocates nothing.
 */
export class ResponseQueue<Note> {
  /** Status of the last ReadyForQuery. */
  status: TransactionStatus = 'I';

  readonly #dropped: (note: Note) => void;
  #ring: Uint8Array = new Uint8Array(initialCapacity);
  /** Sequence numbers of the head and of the next entry; a slot is the number modulo capacity. */
  #first = 0;
  #next = 0;
  readonly #notes: Map<number, Note> = new Map();
  #head: number = idle;
  #skipping = false;
  /** The backend takes copy data and the client has not ended it yet. */
  #copyOpen = false;
  #settled = false;
  #executes = false;

  /** `dropped` is told of the notes of entries that will never be answered. */
  constructor(dropped: (note: Note) => void) {
    this.#dropped = dropped;
  }

  get isEmpty(): boolean {
    return this.#first === this.#next;
  }

  /** Nothing was sent since the last ReadyForQuery, so no implicit transaction is open. */
  get isSettled(): boolean {
    return this.#settled;
  }

  /**
   * The client has no transaction, not even one that its Executes have begun: nothing is lost or
   * kept by a Sync. Sure once the queue is empty.
   */
  get isBetweenTransactions(): boolean {
    return this.status === 'I' && !this.#executes;
  }

  get isFull(): boolean {
    return this.length >= expectedResponsesMax;
  }

  get length(): number {
    return this.#next - this.#first;
  }

  /** The backend ignores everything up to the next Sync. */
  get isSkipping(): boolean {
    return this.#skipping;
  }

  /** What the client sends now is copy data to the backend. */
  get isCopyOpen(): boolean {
    return this.#copyOpen;
  }

  get head(): Expectation {
    return expectations[this.#head]!;
  }

  get headNote(): Note | undefined {
    return this.#notes.size === 0 ? undefined : this.#notes.get(this.#first);
  }

  /** A message is about to be forwarded to the backend. */
  sent(entry: Entry, note?: Note): void {
    const code = entry === 'copy-end' ? copyEnd : numberOf.get(entry)!;
    this.#settled = false;
    if (code === execute) this.#executes = true;
    else if (endsWithReady.has(code)) this.#executes = false;
    if (this.#skipping) {
      if (code !== sync) {
        this.#refuse(note);
        return;
      }
      this.#skipping = false;
    }
    if (this.#copyOpen) {
      if (code !== sync) this.#copyOpen = false;
      this.#refuse(note);
      return;
    }
    if (code === copyEnd && this.isEmpty) return;
    this.#append(code, note);
  }

  /** What the table says about a server message, before anything changes. */
  actionFor(type: number): Action {
    return actionFor(this.#head, type);
  }

  /** Does to the queue what the action says. `status` goes with ReadyForQuery. */
  apply(action: Action, status?: TransactionStatus): void {
    switch (action) {
      case 'keep':
      case 'hide':
      case 'odd':
        return;
      case 'pop':
      case 'hide-pop':
        // The backend ends a copy itself too, for instance when the client goes on to Terminate.
        this.#copyOpen = false;
        this.#pop();
        return;
      case 'skip':
        this.#skipToSync();
        return;
      case 'ready':
      case 'hide-ready':
        this.#becomeReady(status);
        this.#pop();
        this.#settled = this.isEmpty;
        return;
      case 'heal':
        this.#becomeReady(status);
        this.#heal();
        this.#settled = this.isEmpty;
        return;
      case 'copy-in':
        this.#openCopy();
        return;
      case 'copy-out-of-in':
        this.#copyOpen = false;
        this.#replaceHead(query);
        return;
    }
  }

  #refuse(note: Note | undefined): void {
    if (note !== undefined) this.#dropped(note);
  }

  #append(code: number, note: Note | undefined): void {
    if (this.length === this.#ring.length) this.#grow();
    this.#ring[this.#next & (this.#ring.length - 1)] = code;
    if (note !== undefined) this.#notes.set(this.#next, note);
    this.#next++;
    if (this.length === 1) this.#head = code;
  }

  #grow(): void {
    const grown = new Uint8Array(2 * this.#ring.length);
    for (let i = this.#first; i < this.#next; i++) {
      grown[i & (grown.length - 1)] = this.#at(i);
    }
    this.#ring = grown;
  }

  #at(sequence: number): number {
    return this.#ring[sequence & (this.#ring.length - 1)]!;
  }

  #replaceHead(code: number): void {
    this.#ring[this.#first & (this.#ring.length - 1)] = code;
    this.#head = code;
  }

  /** The head is met; marks that come to the front owe nothing. */
  #pop(): void {
    if (this.isEmpty) return;
    if (this.#notes.size > 0) this.#notes.delete(this.#first);
    this.#first++;
    while (!this.isEmpty && this.#at(this.#first) === copyEnd) this.#first++;
    this.#head = this.isEmpty ? idle : this.#at(this.#first);
  }

  /** The head will never be met. */
  #drop(): void {
    const note = this.headNote;
    this.#pop();
    if (note !== undefined) this.#dropped(note);
  }

  #skipToSync(): void {
    this.#copyOpen = false;
    while (!this.isEmpty && this.#head !== sync) this.#drop();
    this.#skipping = this.isEmpty;
  }

  #becomeReady(status: TransactionStatus | undefined): void {
    this.#skipping = false;
    this.#copyOpen = false;
    if (status !== undefined) this.status = status;
  }

  #heal(): void {
    while (!this.isEmpty && !endsWithReady.has(this.#head)) this.#drop();
    this.#pop();
  }

  /** Invariant 5: what the client sent on, not knowing that a copy was beginning. */
  #openCopy(): void {
    this.#replaceHead(this.#head === execute ? executeCopyIn : queryCopyIn);
    this.#copyOpen = true;
    const kept: { readonly code: number; readonly note: Note | undefined }[] = [];
    for (let i = this.#first + 1; i < this.#next; i++) {
      const code = this.#at(i);
      const note = this.#notes.get(i);
      this.#notes.delete(i);
      if (!this.#copyOpen) kept.push({ code, note });
      else {
        if (code !== sync) this.#copyOpen = false;
        this.#refuse(note);
      }
    }
    this.#next = this.#first + 1;
    for (const { code, note } of kept) this.#append(code, note);
  }
}

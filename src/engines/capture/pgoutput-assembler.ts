import { schemaVersionId } from '../../changelog/format.ts';
import type { LogWriter } from '../../changelog/log-writer.ts';
import type { TransactionFrames } from '../../changelog/transaction-frames.ts';
import { changeDamaged } from '../../core/errors/changes.ts';
import {
  readExclusions,
  readSchemaChange,
  subtransactionOf,
} from '../../protocol/changes/schema-change.ts';
import { decodeBegin } from '../../protocol/pgoutput/begin.ts';
import { decodeCommit } from '../../protocol/pgoutput/commit.ts';
import { decodeMessage } from '../../protocol/pgoutput/logical-message.ts';
import {
  pgoutputMessage as message,
  relationOffset,
} from '../../protocol/pgoutput/message-type.ts';
import { decodeRelation, type RelationMessage } from '../../protocol/pgoutput/relation.ts';
import { decodeStreamAbort } from '../../protocol/pgoutput/stream-abort.ts';
import { decodeStreamCommit } from '../../protocol/pgoutput/stream-commit.ts';
import { decodeStreamStart } from '../../protocol/pgoutput/stream-start.ts';
import {
  truncatedRelationCount,
  truncatedRelationsOffset,
} from '../../protocol/pgoutput/truncate.ts';
import { copyKeptColumns } from './kept-columns.ts';

/** What becomes of the rows of a relation. */
export type KnownRelation = {
  /** The table version; undefined for tables that are not kept. */
  readonly version: number | undefined;
  /** By column; undefined when all are kept. */
  readonly kept: readonly boolean[] | undefined;
  /** More may be left out than has to be: it is looked at again behind the next commit. */
  readonly isGuess: boolean;
};

/** A relation as this connection has announced it. */
type AnnouncedRelation = KnownRelation & { readonly announced: RelationMessage };

export type AssemblerOptions = {
  readonly writer: LogWriter;
  /** Gives a relation its table version; may have to ask the server. */
  readonly describe: (relation: RelationMessage, walLsn: bigint) => Promise<KnownRelation>;
  /** 64 bits of a transaction id that is sent with 32. */
  readonly widenXid: (xid: number) => bigint;
  /**
   * A transaction commits that claims to have said which columns are excluded. Answers whether
   * others are out behind that commit.
   */
  readonly excluded: (xid: bigint, columns: readonly string[]) => Promise<boolean>;
};

type OpenTransaction = {
  readonly frames: TransactionFrames;
  /** Relations announced inside it; everybody's once it commits. */
  readonly relations: Map<number, AnnouncedRelation>;
  /** Columns that are excluded behind its commit, as it claims. */
  excludes: readonly string[] | undefined;
};

/**
 * Puts the messages of one replication connection together into transactions and appends these to
 * the log. Transactions that are streamed in progress come interleaved. `receive` is called with
 * one message after the other, the next when the promise of the one before is fulfilled.
 */
export class PgoutputAssembler {
  readonly #options: AssemblerOptions;
  readonly #relations: Map<number, AnnouncedRelation> = new Map();
  readonly #streamed: Map<number, OpenTransaction> = new Map();
  /** Between Begin and Commit. */
  #current: OpenTransaction | undefined;
  #currentXid = 0;
  /** Between Stream Start and Stream Stop. */
  #stream: OpenTransaction | undefined;
  /** More is kept out of some relations than has to be, as far as is known. */
  #hasGuesses = false;

  constructor(options: AssemblerOptions) {
    this.#options = options;
  }

  /** Whether the WAL that was received ends between a Begin and its Commit. */
  get isInTransaction(): boolean {
    return this.#current !== undefined;
  }

  /** A message `bytes[start, end)`. Undefined when it is dealt with, else a promise of that. */
  receive(bytes: Buffer, start: number, end: number, walLsn: bigint): Promise<void> | undefined {
    switch (bytes[start]) {
      case message.insert:
      case message.update:
      case message.delete:
        this.#row(bytes, start, end, walLsn);
        return undefined;
      case message.begin: {
        const { xid } = decodeBegin(bytes, start, end);
        this.#currentXid = xid;
        this.#current = this.#open(this.#relations);
        return this.#guessAgain(walLsn);
      }
      case message.commit:
        return this.#commit(bytes, start, end);
      case message.relation:
        return this.#relation(bytes, start, end, walLsn);
      case message.truncate:
        this.#truncate(bytes, start, end, walLsn);
        return undefined;
      case message.message:
        this.#message(bytes, start, end, walLsn);
        return undefined;
      case message.streamStart:
        this.#startStream(decodeStreamStart(bytes, start, end).xid);
        return this.#guessAgain(walLsn);
      case message.streamStop:
        // Streams of others may follow: what waits in memory is that of one transaction at most.
        this.#stream?.frames.putSpilled();
        this.#stream = undefined;
        return undefined;
      case message.streamCommit:
        return this.#commitStream(bytes, start, end);
      case message.streamAbort:
        return this.#abortStream(bytes, start, end);
      case message.type:
      case message.origin:
        return undefined;
      default:
        throw changeDamaged(`A message has type ${bytes[start]}, which is not known.`);
    }
  }

  #open(relations: Map<number, AnnouncedRelation>): OpenTransaction {
    return { frames: this.#options.writer.begin(), relations, excludes: undefined };
  }

  #row(bytes: Buffer, start: number, end: number, walLsn: bigint): void {
    const open = this.#openTransaction();
    const offset = relationOffset(bytes[start]!, this.#stream !== undefined);
    const known = this.#known(open, bytes.readUInt32BE(start + offset));
    if (known.version === undefined) return;
    const { frames } = open;
    if (known.kept === undefined) {
      const at = frames.reserve(end - start, walLsn);
      bytes.copy(frames.bytes, at, start, end);
      frames.bytes.writeUInt32BE(known.version, at + offset);
    } else {
      const rest = copyKeptColumns(bytes, start + offset + 4, end, known.kept);
      const head = offset + 4;
      const at = frames.reserve(head + rest.length, walLsn);
      bytes.copy(frames.bytes, at, start, start + head);
      rest.copy(frames.bytes, at + head);
      frames.bytes.writeUInt32BE(known.version, at + offset);
    }
    frames.count(known.version);
  }

  /** One frame for each table, so that a frame is a change. */
  #truncate(bytes: Buffer, start: number, end: number, walLsn: bigint): void {
    const open = this.#openTransaction();
    const streamed = this.#stream !== undefined;
    const count = truncatedRelationCount(bytes, start, end, streamed);
    const first = truncatedRelationsOffset(streamed);
    for (let index = 0; index < count; index += 1) {
      const known = this.#known(open, bytes.readUInt32BE(start + first + 4 * index));
      if (known.version === undefined) continue;
      const at = open.frames.reserve(first + 4, walLsn);
      const target = open.frames.bytes;
      bytes.copy(target, at, start, start + first);
      target.writeUInt32BE(1, at + first - 5);
      target.writeUInt32BE(known.version, at + first);
      open.frames.count(known.version);
    }
  }

  #message(bytes: Buffer, start: number, end: number, walLsn: bigint): void {
    const said = decodeMessage(bytes, start, end, this.#stream !== undefined);
    const excludes = readExclusions(said);
    if (excludes !== undefined) this.#openTransaction().excludes = excludes;
    // Anybody may write messages: only what our own trigger could have written counts.
    if (!said.isTransactional || readSchemaChange(said) === undefined) return;
    const { frames } = this.#openTransaction();
    const at = frames.reserve(end - start, walLsn);
    bytes.copy(frames.bytes, at, start, end);
    const subxid = this.#stream === undefined ? undefined : subtransactionOf(said);
    if (subxid !== undefined) frames.bytes.writeUInt32BE(subxid, at + 1);
    frames.count(schemaVersionId);
  }

  async #relation(bytes: Buffer, start: number, end: number, walLsn: bigint): Promise<void> {
    const relation = decodeRelation(bytes, start, end, this.#stream !== undefined);
    const known = { ...(await this.#options.describe(relation, walLsn)), announced: relation };
    this.#hasGuesses ||= known.isGuess;
    // Inside a stream it may be rolled back: then the others still see the relation as it was.
    (this.#stream?.relations ?? this.#relations).set(relation.oid, known);
  }

  #commit(bytes: Buffer, start: number, end: number): Promise<void> | undefined {
    const commit = decodeCommit(bytes, start, end);
    const open = this.#current;
    if (open === undefined) throw changeDamaged('A commit has no transaction.');
    this.#current = undefined;
    const xid = this.#options.widenXid(this.#currentXid);
    const append = (): Promise<void> | undefined =>
      this.#options.writer.append(open.frames, {
        commitLsn: commit.commitLsn,
        endLsn: commit.endLsn,
        committedAt: commit.committedAtMicros,
        xid,
        hasSubxids: false,
      });
    if (open.excludes === undefined && !this.#hasGuesses) return append();
    return this.#exclude(open, xid, commit.endLsn).then(append);
  }

  /** What comes behind a commit that says what is excluded is described anew. */
  async #exclude(open: OpenTransaction, xid: bigint, endLsn: bigint): Promise<void> {
    const isOther =
      open.excludes !== undefined && (await this.#options.excluded(xid, open.excludes));
    if (isOther) await this.#describeAnew(endLsn, () => true);
    else await this.#guessAgain(endLsn);
  }

  /** What was out as a precaution may be known by now. */
  #guessAgain(walLsn: bigint): Promise<void> | undefined {
    if (!this.#hasGuesses) return undefined;
    return this.#describeAnew(walLsn, ({ isGuess }) => isGuess);
  }

  async #describeAnew(walLsn: bigint, isMeant: (known: KnownRelation) => boolean): Promise<void> {
    const streamed = [...this.#streamed.values()].map(({ relations }) => relations);
    this.#hasGuesses = false;
    for (const relations of [this.#relations, ...streamed]) {
      for (const [oid, known] of relations) {
        const { announced } = known;
        if (!isMeant(known)) continue;
        const now = await this.#options.describe(announced, walLsn);
        relations.set(oid, { ...now, announced });
        this.#hasGuesses ||= now.isGuess;
      }
    }
  }

  #startStream(xid: number): void {
    let open = this.#streamed.get(xid);
    if (open === undefined) {
      open = this.#open(new Map());
      this.#streamed.set(xid, open);
    }
    this.#stream = open;
  }

  async #commitStream(bytes: Buffer, start: number, end: number): Promise<void> {
    const commit = decodeStreamCommit(bytes, start, end);
    const open = this.#streamed.get(commit.xid);
    if (open === undefined) throw changeDamaged(`Transaction ${commit.xid} was not streamed.`);
    this.#streamed.delete(commit.xid);
    for (const [oid, known] of open.relations) this.#relations.set(oid, known);
    const xid = this.#options.widenXid(commit.xid);
    // What nobody else could see while it was in progress can be seen now.
    await this.#exclude(open, xid, commit.endLsn);
    await this.#options.writer.append(open.frames, {
      commitLsn: commit.commitLsn,
      endLsn: commit.endLsn,
      committedAt: commit.committedAtMicros,
      xid,
      hasSubxids: true,
    });
  }

  async #abortStream(bytes: Buffer, start: number, end: number): Promise<void> {
    const { xid, subxid } = decodeStreamAbort(bytes, start, end);
    const open = this.#streamed.get(xid);
    if (open === undefined) return;
    if (subxid !== xid) {
      open.frames.abortSubtransaction(subxid);
      return;
    }
    this.#streamed.delete(xid);
    await this.#options.writer.discard(open.frames);
  }

  #openTransaction(): OpenTransaction {
    const open = this.#stream ?? this.#current;
    if (open === undefined) throw changeDamaged('A change is outside of a transaction.');
    return open;
  }

  #known(open: OpenTransaction, oid: number): KnownRelation {
    const known = open.relations.get(oid) ?? this.#relations.get(oid);
    if (known === undefined) throw changeDamaged(`Relation ${oid} was not announced.`);
    return known;
  }
}

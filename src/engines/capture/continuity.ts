import { printLsn } from '../../core/lsn.ts';

/** What the log of this node holds. */
export type LogFacts = {
  readonly epoch: number;
  readonly timeline: number;
  /** All WAL before it is in the log. */
  readonly endLsn: bigint;
  /** Under which term it was written last. */
  readonly term: number;
  /** The last beat of the catalog it has heard of. */
  readonly beat: number;
};

/** A replication slot as the server has it. */
export type SlotFacts = {
  readonly confirmedLsn: bigint;
  /** Why it is of no use any more; undefined while it is. */
  readonly lostBecause: string | undefined;
};

export type ServerFacts = {
  readonly timeline: number;
  /** How far its WAL is written. */
  readonly walLsn: bigint;
  /** Where the timelines before this one ended. */
  readonly history: readonly { readonly timeline: number; readonly endLsn: bigint }[];
};

export type Continuity =
  /** The log goes on where it ends. */
  | { readonly kind: 'continue' }
  /** The log of this node does not reach the slot, which another node has served: it begins anew. */
  | { readonly kind: 'restart-log'; readonly startLsn: bigint }
  /** A slot has to be made, and with it an epoch; nothing is known to be missing. */
  | { readonly kind: 'begin' }
  /** Changes are missing: a new epoch, once somebody says so. */
  | {
      readonly kind: 'gap';
      readonly from: bigint;
      readonly to: bigint | undefined;
      readonly reason: string;
      /** The slot that is there cannot be used. */
      readonly dropsSlot: boolean;
    };

/** What is known before streaming begins. */
export type CaptureSituation = {
  /** The catalog's: its epoch (0 before the first), the term of this owner. */
  readonly epoch: number;
  readonly term: number;
  /** Under which the slot was served last: a log of an earlier term has not all of it. */
  readonly servedTerm: number;
  /** Grows while changes are captured; a log that knows of a later one is of another future. */
  readonly beat: number;
  /** Undefined before the first slot, and after one was given up on purpose. */
  readonly slotName: string | undefined;
  readonly catalogTimeline: number | undefined;
  readonly log: LogFacts | undefined;
  readonly slot: SlotFacts | undefined;
  /** Of which the slot cannot have told anything for some time. */
  readonly unusablePublications: readonly string[];
  readonly server: ServerFacts;
  /** Why an earlier look found a gap that nobody has skipped yet. */
  readonly notedGap: string | undefined;
};

/**
 * Whether changes can go on without a gap, from what the catalog, the log, the slot and the server
 * say. Pure; every pair of these that does not fit is a gap, never a silent skip.
 */
export function judgeContinuity(facts: CaptureSituation): Continuity {
  if (facts.slotName === undefined) return { kind: 'begin' };
  const judged = judgeAnew(facts, facts.slotName);
  const { notedGap, log, slot } = facts;
  // What told of it may be gone at the next look; the gap is not, until somebody says so.
  if (notedGap === undefined || judged.kind === 'gap') return judged;
  return gap(log?.endLsn ?? 0n, slot?.confirmedLsn, notedGap, slot !== undefined);
}

function judgeAnew(facts: CaptureSituation, slotName: string): Continuity {
  const { epoch, slot, server } = facts;
  if (facts.log !== undefined && isOfLaterCatalog(facts.log, facts)) {
    return gap(facts.log.endLsn, slot?.confirmedLsn, restoredReason, slot !== undefined);
  }
  // What another owner has told the slot to forget is in its log, not in this one.
  const isNewest = facts.log?.epoch === epoch && facts.log.term >= facts.servedTerm;
  const log = isNewest ? facts.log : undefined;
  const known = log?.endLsn ?? slot?.confirmedLsn ?? 0n;
  if (slot === undefined) {
    return gap(known, undefined, `Replication slot "${slotName}" is gone.`, false);
  }
  if (slot.lostBecause !== undefined) {
    return gap(
      known,
      undefined,
      `Replication slot "${slotName}" was invalidated: ${slot.lostBecause}.`,
      true,
    );
  }
  const timeline = log?.timeline ?? facts.catalogTimeline ?? server.timeline;
  const branch = divergence(timeline, known, server);
  if (branch !== undefined) return gap(branch, slot.confirmedLsn, branchReason(branch), true);
  const [unusable] = facts.unusablePublications;
  if (unusable !== undefined) {
    return gap(
      known,
      undefined,
      `Publication "${unusable}" was dropped or altered by somebody else.`,
      true,
    );
  }
  if (log === undefined) return { kind: 'restart-log', startLsn: slot.confirmedLsn };
  if (slot.confirmedLsn <= log.endLsn) return { kind: 'continue' };
  return gap(
    log.endLsn,
    slot.confirmedLsn,
    `Replication slot "${slotName}" was advanced or made anew by somebody else.`,
    false,
  );
}

const restoredReason = 'The catalog is older than the change log: the database was restored.';

function isOfLaterCatalog(
  log: LogFacts,
  facts: { readonly epoch: number; readonly term: number; readonly beat: number },
): boolean {
  // The term of this owner is new, so that no log can have it.
  return log.epoch > facts.epoch || log.term >= facts.term || log.beat > facts.beat;
}

function gap(from: bigint, to: bigint | undefined, reason: string, dropsSlot: boolean): Continuity {
  return { kind: 'gap', from, to, reason, dropsSlot };
}

/** Where the server's history leaves the one that was captured, if that is before its end. */
function divergence(timeline: number, known: bigint, server: ServerFacts): bigint | undefined {
  if (server.timeline === timeline) return server.walLsn < known ? server.walLsn : undefined;
  const ends = server.history.filter((end) => end.timeline >= timeline);
  const own = ends.find((end) => end.timeline === timeline);
  if (own === undefined) return 0n;
  const earliest = ends.reduce(
    (least, { endLsn }) => (endLsn < least ? endLsn : least),
    own.endLsn,
  );
  return earliest < known ? earliest : undefined;
}

function branchReason(branch: bigint): string {
  return `The server went on from ${printLsn(branch)}, before the end of what was captured: it was restored or failed over.`;
}

import { quoteIdentifier } from '../../core/quoting.ts';
import { isLoopback } from '../config/address.ts';
import { printUpstream, type Upstream } from '../config/upstream.ts';
import { adviseOn } from './upstream-advice.ts';
import type { ServerFacts, UpstreamFacts } from './upstream-facts.ts';

/**
 * One thing HeliosDB needs of an upstream.
 * - `ok`: it is there.
 * - `note`: it works, and there is something to know.
 * - `capture`: windows work without it, change data capture does not.
 * - `fail`: nothing works without it.
 */
export type Prerequisite = {
  readonly state: 'ok' | 'note' | 'capture' | 'fail';
  readonly name: string;
  /** What was found. */
  readonly found: string;
  /** What to do about it, when there is something to do. */
  readonly mend?: string;
};

export const oldestMajor: number = 14;
const newestMajor = 18;

/** Judges what was found, in the order in which a person would mend it. */
export function judgePrerequisites(upstream: Upstream, facts: UpstreamFacts): Prerequisite[] {
  const connection = judgeConnection(upstream, facts);
  if (facts.server === undefined) return [connection];
  const { server } = facts;
  return [
    connection,
    judgeVersion(server),
    judgeEncryption(upstream, server),
    judgeProof(upstream, facts),
    judgeWalLevel(server),
    judgeSlots(server),
    judgeSenders(server),
    judgeReplicationRight(upstream, server),
    judgeCatalogRights(upstream, server),
    judgeTables(upstream, server),
    judgeEncoding(server),
    judgeSlotWal(server),
  ];
}

/** `capture` may be missing: it is not used yet when only windows are. */
export function windowsWillWork(prerequisites: readonly Prerequisite[]): boolean {
  return prerequisites.every(({ state }) => state !== 'fail');
}

function judgeConnection(upstream: Upstream, { probe }: UpstreamFacts): Prerequisite {
  const name = 'connection';
  const where = printUpstream(upstream);
  const advice = adviseOn(upstream, probe);
  if (advice === undefined) {
    return { state: 'ok', name, found: `${where} answers user ${upstream.user}` };
  }
  // It serves, and clients have passwords of their own: only nothing more can be looked at.
  const state = probe.kind === 'asked' ? 'note' : 'fail';
  return { state, name, ...advice };
}

function judgeVersion({ version, versionNumber }: ServerFacts): Prerequisite {
  const name = 'version';
  const major = Math.floor(versionNumber / 10_000);
  const found = `Postgres ${version}`;
  if (major < oldestMajor) {
    return { state: 'fail', name, found, mend: `upgrade to Postgres ${oldestMajor} or newer` };
  }
  if (major > newestMajor) {
    return { state: 'note', name, found: `${found}, tested up to ${newestMajor}` };
  }
  return { state: 'ok', name, found };
}

function judgeEncryption(upstream: Upstream, server: ServerFacts): Prerequisite {
  const name = 'encryption';
  if (server.isEncrypted) return { state: 'ok', name, found: 'TLS' };
  if (upstream.host.startsWith('/') || isLoopback(upstream.host)) {
    return { state: 'ok', name, found: 'not needed within one machine' };
  }
  return {
    state: 'note',
    name,
    found: 'none, passwords and data cross the network in the clear',
    mend: 'set ssl = on at the server and sslmode=require in the URL of --upstream',
  };
}

function judgeProof({ user }: Upstream, { probe }: UpstreamFacts): Prerequisite {
  const name = 'proof';
  if (probe.kind === 'admitted' && probe.asked) {
    return { state: 'ok', name, found: `a password is asked of user ${user}` };
  }
  return {
    state: 'note',
    name,
    found: `user ${user} is let in without a password, so --listen has to stay on loopback`,
    mend: 'ask for scram-sha-256 in pg_hba.conf to listen elsewhere',
  };
}

function judgeWalLevel({ walLevel }: ServerFacts): Prerequisite {
  if (walLevel === 'logical') return { state: 'ok', name: 'wal_level', found: walLevel };
  return {
    state: 'capture',
    name: 'wal_level',
    found: walLevel,
    mend: "run ALTER SYSTEM SET wal_level = 'logical' and restart the server",
  };
}

function judgeSlots({ slotsMax, slotsUsed, hasOwnSlot }: ServerFacts): Prerequisite {
  return judgeRoom('replication slots', {
    setting: 'max_replication_slots',
    max: slotsMax,
    used: slotsUsed,
    hasOwn: hasOwnSlot,
  });
}

function judgeSenders({ sendersMax, sendersUsed, hasOwnSender }: ServerFacts): Prerequisite {
  return judgeRoom('wal senders', {
    setting: 'max_wal_senders',
    max: sendersMax,
    used: sendersUsed,
    hasOwn: hasOwnSender,
  });
}

function judgeRoom(
  name: string,
  room: {
    readonly setting: string;
    readonly max: number;
    readonly used: number;
    readonly hasOwn: boolean;
  },
): Prerequisite {
  const { setting, max, used, hasOwn } = room;
  const own = hasOwn ? ', one of them for the capture of this database' : '';
  const found = `${used} of ${max} used${own}`;
  // The one that is needed is there.
  if (hasOwn || used < max) return { state: 'ok', name, found };
  const mend = `run ALTER SYSTEM SET ${setting} = ${Math.max(10, max + 5)} and restart the server`;
  return { state: 'capture', name, found, mend };
}

function judgeReplicationRight({ user }: Upstream, { mayReplicate }: ServerFacts): Prerequisite {
  const name = 'right to replicate';
  if (mayReplicate) return { state: 'ok', name, found: `user ${user} has it` };
  const role = quoteIdentifier(user);
  return {
    state: 'capture',
    name,
    found: `user ${user} does not have it`,
    mend: `run ALTER ROLE ${role} REPLICATION as a superuser`,
  };
}

function judgeCatalogRights({ user }: Upstream, server: ServerFacts): Prerequisite {
  const name = 'right to make schema heliosdb';
  const role = quoteIdentifier(user);
  if (!server.mayMakeSchema) {
    const mend = `run GRANT CREATE ON DATABASE ${quoteIdentifier(server.database)} TO ${role}`;
    return { state: 'capture', name, found: `user ${user} does not have it`, mend };
  }
  if (!server.mayMakeAdmin) {
    return {
      state: 'note',
      name,
      found: `user ${user} has it, but without a role heliosdb_admin is the only one to give orders`,
      mend: 'run CREATE ROLE heliosdb_admin as a superuser',
    };
  }
  return { state: 'ok', name, found: `user ${user} has it` };
}

function judgeTables({ user }: Upstream, { isSuperuser }: ServerFacts): Prerequisite {
  const name = 'tables';
  if (isSuperuser) return { state: 'ok', name, found: 'all of them can be captured' };
  return {
    state: 'note',
    name,
    found: `only those that user ${user} owns are captured, as it is no superuser`,
  };
}

function judgeEncoding({ encoding }: ServerFacts): Prerequisite {
  const name = 'encoding';
  if (encoding !== 'SQL_ASCII') return { state: 'ok', name, found: encoding };
  return {
    state: 'capture',
    name,
    found: `${encoding}, texts without an encoding`,
    mend: 'restore the database into one with encoding UTF8',
  };
}

/** Twice what readers may hold in the slot: the rest is for the time in which no engine runs. */
const slotWalKeepMbMin = 2 * 1024;

function judgeSlotWal({ slotWalKeepMb }: ServerFacts): Prerequisite {
  const name = 'WAL kept for slots';
  if (slotWalKeepMb < 0) return { state: 'ok', name, found: 'without a limit' };
  const found = `up to ${slotWalKeepMb} MB`;
  if (slotWalKeepMb >= slotWalKeepMbMin) return { state: 'ok', name, found };
  return {
    state: 'note',
    name,
    found: `${found}, beyond which the server gives the slot up`,
    mend: `run ALTER SYSTEM SET max_slot_wal_keep_size = '${slotWalKeepMbMin}MB', or set max_slot_lag to less than half of it`,
  };
}

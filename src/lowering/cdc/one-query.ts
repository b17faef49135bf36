import { eventsAfterEnd, followWithOthers, tooManyEventsReads } from '../../core/errors/cdc.ts';
import { eventsReadsMax } from '../../core/limits.ts';
import type { ShowCdcEvents } from '../../sql/cdc/statement.ts';
import type { Source, TokenRange } from '../../sql/source.ts';
import type { Place } from './show-cdc-events.ts';

/**
 * Whether a SHOW CDC EVENTS can read what was handed over for it before the Query: not when it is
 * in another transaction, or behind a rollback. Throws the PgError when it cannot.
 */
export function checkEventsPlace(
  statement: ShowCdcEvents,
  place: Place,
  ranges: readonly TokenRange[],
): void {
  const { source } = place;
  const at = { position: source.positionOf(place.anchor) };
  if (place.ordinal >= eventsReadsMax) throw tooManyEventsReads(eventsReadsMax, at);
  if (statement.follows && ranges.length > 1) throw followWithOthers(at);
  for (const range of ranges.slice(0, place.statement)) {
    const ending = endingOf(source, range);
    if (ending !== undefined) throw eventsAfterEnd(ending, at);
  }
}

/** Whether a statement before it begins a transaction, or says how the one that is there runs. */
export function isBehindBegin(
  { source, statement }: Place,
  ranges: readonly TokenRange[],
): boolean {
  return ranges.slice(0, statement).some(({ from }) => {
    const [first, second] = [source.name(from), source.name(from + 1)];
    if (source.tokens[from]?.kind !== 'word') return false;
    return first === 'begin' || first === 'start' || (first === 'set' && second === 'transaction');
  });
}

const ends: ReadonlySet<string> = new Set(['commit', 'end', 'rollback', 'abort']);
const twoWords: ReadonlySet<string> = new Set(['PREPARE TRANSACTION', 'RESET ALL', 'DISCARD ALL']);

/** What a statement is called that loses the setting, or whose rights others have. */
function endingOf(source: Source, range: TokenRange): string | undefined {
  const [first, second] = [source.name(range.from), source.name(range.from + 1)];
  if (source.tokens[range.from]?.kind !== 'word') return undefined;
  if (ends.has(first)) {
    // COMMIT PREPARED and ROLLBACK PREPARED are about another transaction.
    return second === 'prepared' ? undefined : first.toUpperCase();
  }
  const role = roleChange(source, range);
  if (role !== undefined) return role;
  const both = `${first} ${range.from + 1 < range.to ? second : ''}`.toUpperCase();
  return twoWords.has(both) ? both : undefined;
}

/** The rights are asked for before the Query, so no statement of it may change whose they are. */
function roleChange(source: Source, { from, to }: TokenRange): string | undefined {
  const verb = source.name(from);
  if (verb !== 'set' && verb !== 'reset') return undefined;
  const word = (index: number): string => (index < to ? source.name(index) : '');
  const isScoped =
    word(from + 1) === 'local' ||
    (word(from + 1) === 'session' && word(from + 2) !== 'authorization');
  const at = isScoped ? from + 2 : from + 1;
  if (word(at) === 'role') return `${verb.toUpperCase()} ROLE`;
  const isSession =
    word(at) === 'session_authorization' ||
    (word(at) === 'session' && word(at + 1) === 'authorization');
  return isSession ? `${verb.toUpperCase()} SESSION AUTHORIZATION` : undefined;
}

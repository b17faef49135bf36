import type { Source, TokenRange } from '../source.ts';
import type { CdcStem } from './statement.ts';

/** A statement that begins as one of ours does. */
export type CdcStart =
  | { readonly kind: 'grammar'; readonly stem: CdcStem; readonly range: TokenRange }
  /** Nothing of ours goes on like that. */
  | {
      readonly kind: 'misfit';
      readonly range: TokenRange;
      /** Index of the first token that does not fit; `range.to` at the end. */
      readonly at: number;
      readonly expected: readonly string[];
    };

type Verb = {
  /** The words that may come behind CDC, each with the grammar that reads on. */
  readonly next: ReadonlyMap<string, CdcStem>;
};

const verbs: ReadonlyMap<string, Verb> = new Map([
  [
    'show',
    {
      next: new Map<string, CdcStem>([
        ['events', 'show-cdc-events'],
        ['status', 'show-cdc-status'],
        ['tables', 'show-cdc-status'],
        ['readers', 'show-cdc-status'],
        ['connectors', 'show-cdc-connectors'],
        ['connector', 'show-cdc-connectors'],
      ]),
    },
  ],
  [
    'alter',
    {
      next: new Map<string, CdcStem>([
        ['capture', 'alter-cdc-capture'],
        ['connector', 'alter-cdc-connector'],
      ]),
    },
  ],
  ['create', { next: new Map<string, CdcStem>([['connector', 'create-cdc-connector']]) }],
  ['drop', { next: new Map<string, CdcStem>([['connector', 'drop-cdc-connector']]) }],
]);

export function isCdcVerb(word: string): boolean {
  return verbs.has(word);
}

/**
 * Undefined for every other statement. `SHOW cdc` and `SHOW cdc.anything` are Postgres's own: they
 * read a setting.
 */
export function cdcStart(source: Source, range: TokenRange): CdcStart | undefined {
  const [verbAt, cdcAt, nextAt] = [range.from, range.from + 1, range.from + 2];
  const verb = verbs.get(source.name(verbAt));
  if (verb === undefined || source.tokens[verbAt]?.kind !== 'word') return undefined;
  if (cdcAt >= range.to || !source.isWord(cdcAt, 'cdc')) return undefined;
  const isAtEnd = nextAt >= range.to;
  if (source.name(verbAt) === 'show' && (isAtEnd || source.name(nextAt) === '.')) return undefined;
  const next = isAtEnd ? undefined : source.tokens[nextAt];
  const stem = next?.kind === 'word' ? verb.next.get(next.name) : undefined;
  if (stem !== undefined) return { kind: 'grammar', stem, range };
  const expected = [...verb.next.keys()].map((word) => word.toUpperCase());
  return { kind: 'misfit', range, at: nextAt, expected };
}

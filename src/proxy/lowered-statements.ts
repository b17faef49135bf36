import { trackedNamesMax } from '../core/limits.ts';
import type { PendingProbe, PendingSurvey } from './pending-probe.ts';
import type { StatementContext } from './statement-context.ts';

/** What an entry of the response queue carries when its responses may have to be reworded. */
export type Note =
  /** `statement` counts the CommandCompletes of the Query so far. */
  | { readonly kind: 'query'; readonly context: StatementContext; statement: number }
  /** Without a context: a plain statement that takes a name over. */
  | { readonly kind: 'parse'; readonly name: string; readonly context?: StatementContext }
  | { readonly kind: 'bind'; readonly portal: string; readonly statement: string }
  | { readonly kind: 'use-statement'; readonly name: string }
  | { readonly kind: 'use-portal'; readonly name: string }
  | { readonly kind: 'close-statement'; readonly name: string }
  | { readonly kind: 'close-portal'; readonly name: string }
  | { readonly kind: 'probe'; readonly context: StatementContext; readonly probe: PendingProbe }
  | { readonly kind: 'survey'; readonly survey: PendingSurvey };

/**
 * Which prepared statements and portals of a session stand for rewritten texts. Names change hands
 * when the backend confirms it, in its order, so a failed Parse leaves the older meaning in place.
 */
export class LoweredStatements {
  #isTracking = false;
  readonly #statements: Map<string, StatementContext> = new Map();
  readonly #portals: Map<string, StatementContext> = new Map();

  /** False until the session has sent a rewritten Parse: until then no message needs a note. */
  get isTracking(): boolean {
    return this.#isTracking;
  }

  beginTracking(): void {
    this.#isTracking = true;
  }

  /** The backend did what the entry with this note asked for. */
  confirm(note: Note): void {
    switch (note.kind) {
      case 'parse':
        remember(this.#statements, note.name, note.context);
        return;
      case 'bind':
        remember(this.#portals, note.portal, this.#statements.get(note.statement));
        return;
      case 'close-statement':
        this.#statements.delete(note.name);
        return;
      case 'close-portal':
        this.#portals.delete(note.name);
        return;
      case 'query':
      case 'use-statement':
      case 'use-portal':
      case 'probe':
      case 'survey':
        return;
    }
  }

  contextOf(note: Note): StatementContext | undefined {
    switch (note.kind) {
      case 'query':
      case 'parse':
      case 'probe':
        return note.context;
      case 'bind':
        return this.#statements.get(note.statement);
      case 'use-statement':
        return this.#statements.get(note.name);
      case 'use-portal':
        return this.#portals.get(note.name);
      case 'close-statement':
      case 'close-portal':
      case 'survey':
        return undefined;
    }
  }
}

function remember(
  names: Map<string, StatementContext>,
  name: string,
  context: StatementContext | undefined,
): void {
  if (context === undefined) names.delete(name);
  else if (names.has(name) || names.size < trackedNamesMax) names.set(name, context);
}

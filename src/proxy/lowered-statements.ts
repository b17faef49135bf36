import { trackedNamesMax, trackedWeightMax } from '../core/limits.ts';
import type { PendingProbe, PendingQuestion, PendingSurvey } from './pending-probe.ts';
import type { StatementContext } from './statement-context.ts';

/** What an entry of the response queue carries when its responses may have to be reworded. */
export type Note =
  /** `statement` counts the CommandCompletes of the Query so far. */
  | { readonly kind: 'query'; readonly context: StatementContext; statement: number }
  /** Without a context: a plain statement that takes a name over. */
  | { readonly kind: 'parse'; readonly name: string; readonly context?: StatementContext }
  | {
      readonly kind: 'bind';
      readonly portal: string;
      readonly statement: string | undefined;
      /** The whole message, when the statement may read the change log. */
      readonly bytes?: Buffer;
    }
  /** An Execute whose responses are worded in its own way. */
  | { readonly kind: 'execute'; readonly context: StatementContext }
  | { readonly kind: 'use-statement'; readonly name: string }
  | { readonly kind: 'use-portal'; readonly name: string }
  | { readonly kind: 'close-statement'; readonly name: string }
  | { readonly kind: 'close-portal'; readonly name: string }
  | { readonly kind: 'probe'; readonly context: StatementContext; readonly probe: PendingProbe }
  | { readonly kind: 'survey'; readonly survey: PendingSurvey }
  | {
      readonly kind: 'question';
      readonly context: StatementContext | undefined;
      readonly question: PendingQuestion;
    };

/**
 * Which prepared statements and portals of a session stand for rewritten texts. Names change hands
 * when the backend confirms it, in its order, so a failed Parse leaves the older meaning in place.
 */
export class LoweredStatements {
  #isTracking = false;
  #hasEvents = false;
  readonly #statements = new NamedContexts();
  readonly #portals = new NamedContexts();

  /** False until the session has sent a rewritten Parse: until then no message needs a note. */
  get isTracking(): boolean {
    return this.#isTracking;
  }

  beginTracking(): void {
    this.#isTracking = true;
  }

  /** Whether any statement of the session reads the change log. */
  get hasEvents(): boolean {
    return this.#hasEvents;
  }

  beginEvents(): void {
    this.#hasEvents = true;
  }

  /** What a portal stands for, once its Bind is confirmed. */
  portal(name: string): StatementContext | undefined {
    return this.#portals.get(name);
  }

  /** It has its rows: a later Execute goes on with them. */
  portalHasRows(name: string, context: StatementContext): void {
    const { events: _, ...rest } = context;
    this.#portals.set(name, rest);
  }

  /** The backend did what the entry with this note asked for. */
  confirm(note: Note): void {
    switch (note.kind) {
      case 'parse':
        this.#statements.set(note.name, note.context);
        return;
      case 'bind':
        this.#portals.set(note.portal, boundContext(this.#statements.get(note.statement), note));
        return;
      case 'close-statement':
        this.#statements.set(note.name, undefined);
        return;
      case 'close-portal':
        this.#portals.set(note.name, undefined);
        return;
      case 'query':
      case 'use-statement':
      case 'use-portal':
      case 'probe':
      case 'execute':
      case 'survey':
      case 'question':
        return;
    }
  }

  /** DEALLOCATE ALL or DISCARD ALL: the backend has forgotten every statement. */
  clear(): void {
    this.#statements.clear();
  }

  contextOf(note: Note): StatementContext | undefined {
    switch (note.kind) {
      case 'query':
      case 'parse':
      case 'execute':
      case 'probe':
      case 'question':
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

/** A portal that reads the change log is asked for its parameters again. */
function boundContext(
  context: StatementContext | undefined,
  { bytes, statement }: { readonly bytes?: Buffer; readonly statement: string | undefined },
): StatementContext | undefined {
  if (context?.events === undefined) return context;
  if (bytes === undefined || statement === undefined) {
    return { ...context, events: { ...context.events, isBound: true } };
  }
  const weight = context.weight + bytes.length;
  return {
    ...context,
    weight,
    events: { ...context.events, isBound: true, bind: bytes, statement },
  };
}

/**
 * The latest contexts by name. Names that are given up by SQL are not seen going, so the oldest
 * make room: their errors are then shown as the backend words them.
 */
class NamedContexts {
  readonly #contexts: Map<string, StatementContext> = new Map();
  #weight = 0;

  get(name: string | undefined): StatementContext | undefined {
    return name === undefined ? undefined : this.#contexts.get(name);
  }

  /** Without a context: a plain statement, or none, has the name now. */
  set(name: string, context: StatementContext | undefined): void {
    this.#forget(name);
    if (context === undefined) return;
    this.#contexts.set(name, context);
    this.#weight += context.weight;
    for (const oldest of this.#contexts.keys()) {
      if (this.#contexts.size <= trackedNamesMax && this.#weight <= trackedWeightMax) return;
      this.#forget(oldest);
    }
  }

  clear(): void {
    this.#contexts.clear();
    this.#weight = 0;
  }

  #forget(name: string): void {
    this.#weight -= this.#contexts.get(name)?.weight ?? 0;
    this.#contexts.delete(name);
  }
}

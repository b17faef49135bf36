import * as errors from '../core/errors/windows.ts';
import { type GroupedWindow, readGroupedWindow, sameWindow } from '../sql/grouped-window.ts';
import { bodyOf, listOf, type Node, walk } from '../sql/parse-tree.ts';
import { enclosingSelect, readSelectClauses, type SelectClauses } from '../sql/select-clauses.ts';
import { groupingExpressions, readTargets, resolveTarget } from '../sql/select-targets.ts';
import type { Source, TokenRange } from '../sql/source.ts';
import { FromTables } from '../sql/table-columns.ts';
import type { PlainCalls } from '../sql/table-window.ts';
import { typeName } from '../sql/type-names.ts';
import {
  hasSeveralTimes,
  isWindowCall,
  rowDependentArgument,
  type WindowCall,
} from '../sql/window-call.ts';
import { findWindowScopes, type SelectScope } from '../sql/window-scopes.ts';
import { nameOutputs, nameReturning } from './output-names.ts';
import { probeArgument, probeWindow } from './probe-window.ts';
import type { Questions } from './questions.ts';
import { Edits } from './splice.ts';
import type { Survey } from './survey.ts';
import { dependsOnType } from './windows/decompose.ts';
import { asName, lowerLevel } from './windows/grouped.ts';
import { checkHop, expandHop } from './windows/hop.ts';
import { dependsOnRows, sliceHop } from './windows/hop-slices.ts';
import { finishScalarLevel } from './windows/scalar-level.ts';
import { checkSession, lowerSession } from './windows/session.ts';
import { denseSlicesSql } from './windows/slice-density.ts';
import {
  lowerTableWindow,
  probeTableWindow,
  readTableWindow,
  type TableWindow,
} from './windows/table.ts';
import { checkTimes, needsRows, severalTimes, tumbleRows, tumbleSql } from './windows/tumble.ts';
import { askUserFunctions } from './windows/user-functions.ts';
import type { TimeType, TypedWindow } from './windows/window-sql.ts';

/** What one statement depends on besides its own text. */
export type StatementContext = {
  readonly source: Source;
  readonly parameterTypes: readonly number[];
  readonly questions: Questions;
  readonly survey: Survey;
  /** Where the table-valued forms had more than a call has. */
  readonly tableForms: Pick<PlainCalls, 'partitions' | 'wrappers'>;
};

type TimedCall = { readonly call: WindowCall; readonly question: number };

/** One SELECT level, decided but not written yet. */
type Level = {
  readonly scope: SelectScope;
  readonly calls: readonly TimedCall[];
  readonly tables: readonly { readonly table: TableWindow; readonly question: number }[];
  /** Set where the level is taken apart: for HOP, SESSION and a TUMBLE that takes subqueries. */
  readonly grouped: GroupedWindow | undefined;
  /** Questions for the argument types of the aggregates, by aggregate; -1 for none. */
  readonly argumentQuestions: readonly number[];
  /** Survey question whether the slices of a HOP are dense; undefined for none. */
  readonly densityQuestion: number | undefined;
  /** The TUMBLE a level without HOP and SESSION is grouped by. */
  readonly groupedTumble: WindowCall | undefined;
};

/** A statement with window calls: analysed once, then written as probe or as plain SQL. */
export class WindowedStatement {
  readonly #context: StatementContext;
  readonly #levels: readonly Level[];
  readonly #outside: readonly TimedCall[];
  readonly #statement: Node;

  /** Throws the PgError a client gets for a statement that is refused. */
  constructor(context: StatementContext, statement: Node) {
    this.#context = context;
    this.#statement = statement;
    const scopes = findWindowScopes(context.source, statement, context.parameterTypes);
    this.#levels = scopes.selects.map((scope) => this.#readLevel(scope));
    this.#outside = scopes.outside.map((call) => this.#timed(call, new Map()));
    for (const { call } of this.#outside) {
      if (call.kind !== 'tumble') throw notAllowed(call, 'this statement');
    }
  }

  get windowCount(): number {
    return this.#levels.length + this.#outside.length;
  }

  /** Where the windows stand that belong to no SELECT. */
  get outsideRanges(): readonly TokenRange[] {
    return this.#outside.map(({ call }) => call.range);
  }

  /** Whether some size is only known when the statement runs. */
  get hasRunTimeLengths(): boolean {
    const calls = [...this.#levels.flatMap((level) => level.calls), ...this.#outside];
    const tables = this.#levels.flatMap((level) => level.tables.map(({ table }) => table.call));
    return [...calls.map(({ call }) => call), ...tables].some(
      ({ size, slide }) =>
        size.value === undefined || (slide !== undefined && slide.value === undefined),
    );
  }

  /**
   * Adds the edits that make the client's statement plain SQL.
   *
   * @param edits what is replaced outside its queries
   */
  lower(edits: Edits = new Edits()): Edits {
    for (const level of this.#levels) this.#lowerLevel(edits, level);
    for (const timed of byDescendingStart(this.#outside)) this.#lowerScalar(edits, timed);
    this.#nameReturning(edits);
    return edits;
  }

  /**
   * Adds the edits that make it a statement whose parameters tell the types asked for.
   *
   * @param edits replacements inside the calls that are already decided
   */
  probe(edits: Edits): Edits {
    const { source, questions } = this.#context;
    for (const level of this.#levels) {
      this.#nameOutputs(edits, level);
      for (const { call, question } of byDescendingStart(level.calls)) {
        probeWindow(edits, source, call, questions.parameterOf(question));
      }
      for (const { table, question } of level.tables) {
        probeTableWindow(edits, source, table, questions.parameterOf(question));
      }
      for (const [index, question] of level.argumentQuestions.entries()) {
        if (question < 0) continue;
        const { range } = level.grouped!.aggregates[index]!.call.inputs[0]!;
        probeArgument(edits, source, range, questions.parameterOf(question));
      }
    }
    for (const { call, question } of byDescendingStart(this.#outside)) {
      probeWindow(edits, source, call, questions.parameterOf(question));
    }
    this.#nameReturning(edits);
    return edits;
  }

  #readLevel(scope: SelectScope): Level {
    const { source, questions } = this.#context;
    const asked = new Map<string, number>();
    const calls = scope.calls.map(({ call }) => this.#timed(call, asked));
    const tables = scope.tables.map((table) => {
      const read = readTableWindow(source, table, this.#context);
      return { table: read, question: questions.ask(read.call.time.range) };
    });
    for (const { call } of [...scope.calls, ...tables.map(({ table }) => table)]) {
      this.#refuseRowDependent(call);
    }
    const window = this.#groupWindow(scope);
    const lifted = scope.calls.filter(({ call }) => call.kind !== 'tumble');
    this.#refuseMisplaced(scope, window);
    const isScalar = lifted.length === 0 && !(window && this.#isTakenApart(scope, window));
    if (isScalar && window && hasSeveralTimes(window)) throw severalTimes(window);
    if (isScalar || window === undefined) {
      return {
        scope,
        calls,
        tables,
        grouped: undefined,
        argumentQuestions: [],
        densityQuestion: undefined,
        groupedTumble: window,
      };
    }
    const functions = askUserFunctions(source, scope.body, this.#context.survey);
    const grouped = readGroupedWindow(source, scope, window, functions);
    const isHop = window.kind === 'hop';
    return {
      scope,
      calls,
      tables,
      grouped,
      argumentQuestions: isHop ? this.#askArguments(grouped) : [],
      densityQuestion: isHop ? this.#askDensity(scope, grouped) : undefined,
      groupedTumble: undefined,
    };
  }

  #timed(call: WindowCall, asked: Map<string, number>): TimedCall {
    const { source, questions } = this.#context;
    const text = source.slice(call.time.range);
    const question = asked.get(text) ?? questions.ask(call.time.range);
    asked.set(text, question);
    return { call, question };
  }

  #askArguments(grouped: GroupedWindow): readonly number[] {
    return grouped.aggregates.map(({ call, columns }) =>
      call.plain && !call.star && dependsOnType(call.name) && columns[0] !== undefined
        ? this.#context.questions.ask(call.inputs[0]!.range)
        : -1,
    );
  }

  #askDensity(scope: SelectScope, grouped: GroupedWindow): number | undefined {
    if (!dependsOnRows(grouped)) return undefined;
    const keys = this.#groupingOf(scope, grouped.clauses).filter(
      (node) => !scope.calls.some(({ call }) => call.body === bodyOf(node, 'FuncCall')),
    );
    const tables = new FromTables(this.#statement, scope.body);
    const question = denseSlicesSql(grouped.window, keys, tables);
    return question === undefined ? undefined : this.#context.survey.ask(question);
  }

  /** The expressions of GROUP BY, those an alias or a number stands for included. */
  #groupingOf(scope: SelectScope, clauses: SelectClauses): readonly Node[] {
    const targets = readTargets(this.#context.source, scope.body, clauses);
    return groupingExpressions(listOf(scope.body, 'groupClause')).map(
      (item) => resolveTarget(item, targets)?.node ?? item,
    );
  }

  /** The one window a level is grouped by. */
  #groupWindow(scope: SelectScope): WindowCall | undefined {
    const inGroupBy = this.#windowsOfGroupBy(scope);
    const first = inGroupBy.find((call) => call.kind !== 'tumble') ?? inGroupBy[0];
    for (const call of inGroupBy) {
      if (!sameWindow(call, first!)) throw errors.windowsDiffer({ position: call.position });
    }
    return first;
  }

  #windowsOfGroupBy(scope: SelectScope): readonly WindowCall[] {
    const { source } = this.#context;
    const anyCall = scope.calls[0]?.call;
    const items = groupingExpressions(listOf(scope.body, 'groupClause'));
    if (anyCall === undefined || items.length === 0) return [];
    const clauses = readSelectClauses(source, enclosingSelect(source, anyCall.range.from));
    const targets = readTargets(source, scope.body, clauses);
    const bodies = new Set<unknown>();
    for (const item of items) {
      walk([item, resolveTarget(item, targets)?.node], (tag, body) => {
        if (tag === 'FuncCall') bodies.add(body);
        return tag === 'SubLink' ? false : undefined;
      });
    }
    return scope.calls.map(({ call }) => call).filter((call) => bodies.has(call.body));
  }

  /** Windows that are found over many rows have one size for all of them. */
  #refuseRowDependent(call: WindowCall): void {
    const found = call.kind === 'tumble' ? undefined : rowDependentArgument(call);
    if (found === undefined) return;
    const { source } = this.#context;
    const at = { position: source.positionOf(source.startOf(found.argument.range)) };
    throw errors.windowArgumentNotConstant(call.name, found.name, at);
  }

  /** A TUMBLE that cannot stay where it stands, as an item of GROUP BY of its own. */
  #isTakenApart(scope: SelectScope, window: WindowCall): boolean {
    if (!needsRows(window) || rowDependentArgument(window) !== undefined) return false;
    const { source } = this.#context;
    const clauses = readSelectClauses(source, enclosingSelect(source, window.range.from));
    return this.#groupingOf(scope, clauses).some(
      (node) => bodyOf(node, 'FuncCall') === window.body,
    );
  }

  #refuseMisplaced(scope: SelectScope, window: WindowCall | undefined): void {
    for (const { call, clause } of scope.calls) {
      if (call.kind === 'tumble') continue;
      if (clause === 'whereClause') throw notAllowed(call, 'WHERE');
      if (clause === 'fromClause') throw notAllowed(call, 'FROM');
      if (window === undefined || window.kind === 'tumble') {
        throw errors.windowNeedsGroupBy(call.name, call.kind, { position: call.position });
      }
    }
  }

  #typed(edits: Edits, timed: TimedCall): TypedWindow {
    const timeType = this.#timeType(timed.question, timed.call);
    return { source: this.#context.source, inner: edits, call: timed.call, timeType };
  }

  #timeType(question: number, call: WindowCall): TimeType {
    const { questions } = this.#context;
    if (!questions.answered) return undefined;
    const type = timeTypes.get(questions.answer(question));
    if (type !== undefined) return type;
    const types = [typeName(questions.answer(question)), ...lengthTypes(call)];
    throw errors.windowTimeType(call.name, types, call.kind, { position: call.position });
  }

  #lowerLevel(edits: Edits, level: Level): void {
    for (const timed of byDescendingStart(level.calls)) {
      if (timed.call.kind !== 'tumble') continue;
      if (level.grouped === undefined) checkTimes(timed.call);
      this.#lowerScalar(edits, timed);
    }
    for (const { table, question } of level.tables) {
      const timeType = this.#timeType(question, table.call);
      const { source } = this.#context;
      lowerTableWindow(edits, { source, inner: edits, call: table.call, timeType }, table);
    }
    if (level.grouped === undefined) this.#finishScalarLevel(edits, level);
    else this.#lowerGrouped(edits, level, level.grouped);
  }

  #lowerScalar(edits: Edits, timed: TimedCall): void {
    const { source } = this.#context;
    const { range } = timed.call;
    const sql = tumbleSql(this.#typed(edits, timed));
    edits.replace(source.startOf(range), source.endOf(range), sql);
  }

  #finishScalarLevel(edits: Edits, level: Level): void {
    const timed = level.calls.find(({ call }) => call === level.groupedTumble);
    const window = timed === undefined ? undefined : this.#typed(edits, timed);
    finishScalarLevel(edits, { source: this.#context.source, scope: level.scope, window });
  }

  #lowerGrouped(edits: Edits, level: Level, grouped: GroupedWindow): void {
    const timed = level.calls.find(({ call }) => call === grouped.window)!;
    const window = this.#typed(edits, timed);
    if (grouped.window.kind === 'tumble') {
      lowerLevel(edits, grouped, window, tumbleRows(grouped, window));
      return;
    }
    if (grouped.window.kind === 'session') {
      checkSession(window);
      lowerLevel(edits, grouped, window, lowerSession(grouped, window));
      return;
    }
    checkHop(window);
    const { questions } = this.#context;
    const types = level.argumentQuestions.map((question) =>
      question < 0 ? 0 : questions.answer(question),
    );
    const { densityQuestion } = level;
    const isDense =
      densityQuestion === undefined ? undefined : this.#context.survey.answer(densityQuestion);
    const lowered = sliceHop(grouped, window, types, isDense) ?? expandHop(grouped, window);
    lowerLevel(edits, grouped, window, lowered);
  }

  /** What the lowering of a level does itself, for the probe. */
  #nameOutputs(edits: Edits, { scope, grouped }: Level): void {
    const { source } = this.#context;
    if (grouped !== undefined) {
      for (const { end, name } of grouped.targetNames) {
        edits.insert(source.endOf(end), ` AS ${asName(name)}`);
      }
      return;
    }
    const calls = scope.calls.map(({ call }) => call);
    if (calls.length === 0) return;
    const clauses = readSelectClauses(source, enclosingSelect(source, calls[0]!.range.from));
    nameOutputs(edits, source, readTargets(source, scope.body, clauses), calls);
  }

  #nameReturning(edits: Edits): void {
    const calls = this.#outside.map(({ call }) => call);
    nameReturning(edits, this.#context.source, this.#statement, calls);
  }
}

const timeTypes: ReadonlyMap<number, TimeType> = new Map<number, TimeType>([
  [1082, 'date'],
  [1114, 'timestamp'],
  [1184, 'timestamptz'],
]);

/** The types Postgres would list for the sizes of a call. */
function lengthTypes(call: WindowCall): readonly string[] {
  const lengths = [call.slide, call.size].filter((length) => length !== undefined);
  return lengths.map(({ node }) =>
    bodyOf(node, 'A_Const') === undefined ? 'interval' : 'unknown',
  );
}

/** Inner calls before the ones around them, so that they are lowered first. */
function byDescendingStart(calls: readonly TimedCall[]): readonly TimedCall[] {
  return [...calls].sort((a, b) => b.call.range.from - a.call.range.from);
}

function notAllowed(call: WindowCall, place: string): Error {
  return errors.windowNotAllowedIn(call.name, call.kind, place, { position: call.position });
}

/** Whether a statement holds any window call at all. */
export function holdsWindow(source: Source, statement: Node): boolean {
  let found = false;
  walk(statement, (tag, body) => {
    if (tag === 'FuncCall' && isWindowCall(source, body)) found = true;
    return found ? false : undefined;
  });
  return found;
}

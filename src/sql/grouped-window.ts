import type { PgError } from '../core/errors/pg-error.ts';
import * as errors from '../core/errors/windows.ts';
import {
  looksAggregate,
  mayAggregate,
  readAggregateCall,
  type UserFunctions,
} from './aggregate-call.ts';
import { columnName } from './column-name.ts';
import { fromNames, unqualified } from './from-names.ts';
import { rangeOfGroupItem } from './group-items.ts';
import type {
  ColumnUse,
  LiftedAggregate,
  LiftedColumn,
  TargetName,
  WindowUse,
} from './lifted-parts.ts';
import {
  type Body,
  bodyOf,
  firstLocation,
  listOf,
  locationOf,
  type Node,
  namesOf,
  sameTree,
  tagOf,
  walk,
} from './parse-tree.ts';
import { enclosingSelect, readSelectClauses, type SelectClauses } from './select-clauses.ts';
import {
  groupingExpressions,
  nameRange,
  outputName,
  readTargets,
  resolveTarget,
  singleName,
  type Target,
} from './select-targets.ts';
import type { Source, TokenRange } from './source.ts';
import { readSubquery, type SubqueryColumns } from './subquery-columns.ts';
import type { WindowCall } from './window-call.ts';
import type { SelectScope } from './window-scopes.ts';

/**
 * One SELECT level grouped by a window, taken apart: FROM and WHERE stay as typed in a
 * derived table whose columns are every key, aggregate input, filter and sort expression; the
 * outer level only groups and aggregates those columns.
 */
export type GroupedWindow = {
  readonly clauses: SelectClauses;
  readonly window: WindowCall;
  readonly columns: readonly LiftedColumn[];
  readonly columnUses: readonly ColumnUse[];
  readonly windowUses: readonly WindowUse[];
  readonly aggregates: readonly LiftedAggregate[];
  readonly targetNames: readonly TargetName[];
  readonly hasGroupingSets: boolean;
  /** JSON_ARRAYAGG, JSON_OBJECTAGG or a function of the user's, which may be an aggregate. */
  readonly hasOtherAggregates: boolean;
  /** Why it cannot be lowered after all: for when Postgres has had its say about the statement. */
  readonly refusal: PgError | undefined;
};

/** Takes a level apart. Throws the PgError a client gets for a window that cannot stand so. */
export function readGroupedWindow(
  source: Source,
  scope: SelectScope,
  window: WindowCall,
  functions: UserFunctions,
): GroupedWindow {
  return new GroupedWindowReader(source, scope, window, functions).read();
}

/** A column of the lowered level that could be taken for one of the client's. */
const generatedName = /^(?:w|[kf]\d+)$/;

type Key = { readonly node: Node; readonly range: TokenRange; readonly column: LiftedColumn };

class GroupedWindowReader {
  readonly #source: Source;
  readonly #scope: SelectScope;
  readonly #window: WindowCall;
  readonly #functions: UserFunctions;
  readonly #clauses: SelectClauses;
  readonly #columns: LiftedColumn[] = [];
  readonly #keys: Key[] = [];
  readonly #columnUses: ColumnUse[] = [];
  readonly #windowUses: WindowUse[] = [];
  readonly #aggregates: LiftedAggregate[] = [];
  readonly #targets: readonly Target[];
  readonly #hasGroupingSets: boolean;
  /** Names that qualify columns of this level; any other qualifier is of a level around it. */
  readonly #names: ReadonlySet<string>;
  readonly #unqualified: (names: readonly string[]) => readonly string[];
  #hasOtherAggregates = false;
  #refusal: PgError | undefined;

  constructor(source: Source, scope: SelectScope, window: WindowCall, functions: UserFunctions) {
    this.#functions = functions;
    this.#source = source;
    this.#scope = scope;
    this.#window = window;
    this.#clauses = readSelectClauses(source, enclosingSelect(source, window.range.from));
    this.#targets = readTargets(source, scope.body, this.#clauses);
    this.#names = fromNames(scope.body);
    this.#unqualified = unqualified(scope.body);
    this.#hasGroupingSets = listOf(scope.body, 'groupClause').some(
      (item) => bodyOf(item, 'GroupingSet') !== undefined,
    );
  }

  read(): GroupedWindow {
    const body = this.#scope.body;
    const targets = this.#targets;
    const groupItems = listOf(body, 'groupClause');
    for (const item of groupItems) this.#readKeys(item, targets);
    for (const item of groupItems) this.#visitGroupItem(item);
    for (const target of targets) this.#visit(target.node, false);
    this.#visit(body['havingClause'], false);
    this.#visitOrder(body, targets);
    this.#visit(body['windowClause'], false);
    this.#visitOutputNames(listOf(body, 'distinctClause'), targets);
    // LIMIT and OFFSET read nothing of their own level.
    return {
      clauses: this.#clauses,
      window: this.#window,
      columns: this.#columns,
      columnUses: this.#columnUses,
      windowUses: this.#windowUses,
      aggregates: this.#aggregates,
      targetNames: this.#targetNames(targets),
      hasGroupingSets: this.#hasGroupingSets,
      hasOtherAggregates: this.#hasOtherAggregates,
      refusal: this.#refusal,
    };
  }

  /** Registers the grouping expressions of one item of GROUP BY. */
  #readKeys(item: Node, targets: readonly Target[]): void {
    const set = bodyOf(item, 'GroupingSet');
    const row = bodyOf(item, 'RowExpr');
    if (set !== undefined) {
      if (this.#window.kind === 'session') this.#refuseSessionInSets(set);
      for (const inner of listOf(set, 'content')) this.#readKeys(inner, targets);
      return;
    }
    if (row !== undefined && row['row_format'] !== 'COERCE_EXPLICIT_CALL') {
      for (const inner of listOf(row, 'args')) this.#readKeys(inner, targets);
      return;
    }
    const target = resolveTarget(item, targets);
    const node = target?.node ?? item;
    if (this.#isWindow(node)) return;
    if (holdsWindowCall(node, this.#scope)) {
      this.#refuseMixedKey(node);
      return;
    }
    if (bodyOf(node, 'A_Const') !== undefined) return;
    const range = target?.range ?? rangeOfGroupItem(this.#source, this.#clauses.groupBy!, item);
    if (range === undefined || this.#keys.some((key) => this.#same(key.node, node))) return;
    this.#keys.push({ node, range, column: this.#lift(range, 'key') });
  }

  /**
   * An expression of the window alone is determined by the window beside it in GROUP BY and stays
   * as typed; with a column in it, it would be a grouping of its own.
   */
  #refuseMixedKey(node: Node): void {
    let isMixed = false;
    walk(node, (tag, body) => {
      if (tag === 'ColumnRef' || tag === 'SubLink') isMixed = true;
      return this.#callOf({ [tag]: body }) === undefined ? undefined : false;
    });
    if (!isMixed && this.#hasWindowItem()) return;
    throw errors.windowNotAlone(this.#window.name, { position: this.#window.position });
  }

  #hasWindowItem(): boolean {
    const items = groupingExpressions(listOf(this.#scope.body, 'groupClause'));
    return items.some((item) => this.#isWindow(resolveTarget(item, this.#targets)?.node ?? item));
  }

  #refuseSessionInSets(set: Body): void {
    const items = groupingExpressions(listOf(set, 'content'));
    const nodes = items.map((item) => resolveTarget(item, this.#targets)?.node ?? item);
    if (!nodes.some((node) => holdsWindowCall(node, this.#scope))) return;
    throw errors.windowInGroupingSets(this.#window.name, { position: this.#window.position });
  }

  /** GROUP BY items are uses of their own keys, where they are not an alias or an ordinal. */
  #visitGroupItem(item: Node): void {
    if (bodyOf(item, 'A_Const') !== undefined) {
      this.#visitGroupReference(item);
      return;
    }
    const set = bodyOf(item, 'GroupingSet');
    if (set !== undefined) {
      for (const inner of listOf(set, 'content')) this.#visitGroupItem(inner);
      return;
    }
    const row = bodyOf(item, 'RowExpr');
    if (row !== undefined && row['row_format'] !== 'COERCE_EXPLICIT_CALL') {
      for (const inner of listOf(row, 'args')) this.#visitGroupItem(inner);
      return;
    }
    const call = this.#callOf(item);
    if (call !== undefined) {
      this.#windowUses.push({ range: call.range, call, place: 'group' });
      return;
    }
    const name = singleName(item);
    const target = name === undefined ? undefined : resolveTarget(item, this.#targets);
    if (target !== undefined) this.#visitGroupReference(item);
    else this.#visit(item, false);
  }

  /** An alias or ordinal becomes the expression it stands for: the derived table changed names. */
  #visitGroupReference(item: Node): void {
    const target = resolveTarget(item, this.#targets);
    if (target === undefined) return;
    const place = firstLocation(item);
    if (place === undefined) return;
    const range = nameRange(this.#source, this.#source.tokenOfByte(place));
    if (this.#isWindow(target.node)) {
      const call = this.#callOf(target.node)!;
      this.#windowUses.push({ range, call, place: 'group' });
      return;
    }
    const key = this.#keys.find((candidate) => this.#same(candidate.node, target.node));
    if (key !== undefined) this.#columnUses.push({ range, column: key.column });
  }

  #visitOrder(body: Body, targets: readonly Target[]): void {
    const items = listOf(body, 'sortClause').map((item) => bodyOf(item, 'SortBy')!['node'] as Node);
    this.#visitOutputNames(items, targets);
  }

  /** In ORDER BY and DISTINCT ON a bare name or number means the output column. */
  #visitOutputNames(items: readonly Node[], targets: readonly Target[]): void {
    for (const node of items) {
      if (bodyOf(node, 'A_Const') !== undefined) continue;
      const name = singleName(node);
      if (name !== undefined && targets.some((target) => outputName(target) === name)) continue;
      this.#visit(node, false);
    }
  }

  /** Finds what has to be replaced below a value of the outer level. */
  #visit(value: unknown, insideAggregate: boolean): void {
    if (Array.isArray(value)) {
      for (const item of value) this.#visit(item, insideAggregate);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    const node = value as Node;
    const tag = tagOf(node);
    const body = node[tag];
    const isNode = Object.keys(node).length === 1 && /^[A-Z]/.test(tag) && body !== undefined;
    if (!isNode) {
      this.#visit(Object.values(node), insideAggregate);
      return;
    }
    if (!insideAggregate && this.#useKey(node)) return;
    switch (tag) {
      case 'FuncCall':
        this.#visitCall(node, body, insideAggregate);
        return;
      case 'ColumnRef':
        this.#visitColumn(body, insideAggregate);
        return;
      case 'SubLink':
        this.#visitSubLink(body, insideAggregate);
        return;
      case 'JsonArrayAgg':
      case 'JsonObjectAgg':
        this.#visitJsonAggregate(body, insideAggregate);
        return;
      case 'GroupingFunc':
        this.#visitGrouping(body);
        return;
      default:
        this.#visit(Object.values(body), insideAggregate);
    }
  }

  /** The arguments of GROUPING follow what they name in GROUP BY, whichever edge that is. */
  #visitGrouping(body: Body): void {
    for (const node of listOf(body, 'args')) {
      if (this.#isWindow(node)) this.#visitGroupItem(node);
      else this.#visit(node, false);
    }
  }

  #visitJsonAggregate(body: Body, insideAggregate: boolean): void {
    const isAggregate = (body['constructor'] as Body | undefined)?.['over'] === undefined;
    if (isAggregate) this.#hasOtherAggregates = true;
    this.#visit(Object.values(body), insideAggregate || isAggregate);
  }

  #useKey(node: Node): boolean {
    const key = this.#keys.find((candidate) => this.#same(candidate.node, node));
    if (key === undefined) return false;
    const range = this.#rangeLike(key, node);
    if (range === undefined) return false;
    this.#columnUses.push({ range, column: key.column });
    return true;
  }

  /** Whether two expressions of the level are one to Postgres. */
  #same(left: Node, right: Node): boolean {
    return sameTree(left, right, this.#unqualified);
  }

  /** Where an expression equal to a key stands: the same tokens around the same first location. */
  #rangeLike(key: Key, node: Node): TokenRange | undefined {
    const column = bodyOf(node, 'ColumnRef');
    if (column !== undefined) return this.#rangeOfColumn(column);
    const keyPlace = firstLocation(key.node);
    const place = firstLocation(node);
    if (keyPlace === undefined || place === undefined) return undefined;
    const inside = this.#source.tokenOfByte(keyPlace) - key.range.from;
    const from = this.#source.tokenOfByte(place) - inside;
    const range = { from, to: from + key.range.to - key.range.from };
    if (this.#source.sameTokens(range, key.range)) return range;
    throw errors.windowUnsupportedHere(
      this.#window.name,
      'a grouping expression written in two ways',
      'Write the expression exactly as in GROUP BY, brackets included, or give it an alias.',
      { position: this.#source.positionOf(this.#source.unitOf(place)) },
    );
  }

  #visitCall(node: Node, body: Body, insideAggregate: boolean): void {
    const call = this.#callOf(node);
    if (call !== undefined) {
      if (!sameWindow(call, this.#window)) {
        if (call.kind === 'tumble' && insideAggregate) {
          this.#liftLeaves(body);
          return;
        }
        throw errors.windowNotGrouped(call.name, { position: call.position });
      }
      const place = insideAggregate ? 'aggregate' : 'output';
      this.#windowUses.push({ range: call.range, call, place });
      return;
    }
    const isAggregate = !insideAggregate && this.#isAggregate(body);
    const isGuess = !insideAggregate && !isAggregate && this.#mustAggregate(body);
    if (isAggregate || isGuess) this.#visitAggregate(body, isGuess);
    else this.#visit(Object.values(body), insideAggregate);
  }

  #visitAggregate(body: Body, isGuess: boolean): void {
    const call = readAggregateCall(this.#source, body);
    const columns = call.inputs.map((input) => {
      if (holdsWindowCall(input.node, this.#scope, this.#window)) {
        this.#visit(input.node, true);
        return undefined;
      }
      if (!dependsOnRow(input.node)) return undefined;
      const column = this.#lift(input.range, 'input');
      this.#columnUses.push({ range: input.range, column });
      return column;
    });
    for (const direct of call.direct) this.#visit(direct.node, false);
    this.#aggregates.push({ call, columns, isGuess });
  }

  #isAggregate(body: Body): boolean {
    if (looksAggregate(body)) return true;
    return mayAggregate(body) && this.#functions.isAggregate(functionNames(body)) === true;
  }

  /** A call of an unknown function over columns that are not grouped can only be an aggregate. */
  #mustAggregate(body: Body): boolean {
    if (!mayAggregate(body) || this.#functions.isAggregate(functionNames(body)) === false) {
      return false;
    }
    this.#hasOtherAggregates = true;
    let ungrouped = false;
    walk(listOf(body, 'args'), (tag, inner) => {
      if (this.#keys.some((key) => this.#same(key.node, { [tag]: inner }))) return false;
      if (tag === 'ColumnRef' && !this.#isOuter(inner)) ungrouped = true;
      if (tag === 'SubLink') {
        const { own, open } = readSubquery(this.#source, inner['subselect'], this.#names);
        ungrouped ||= own.length + open.length > 0;
        return false;
      }
      return tag === 'FuncCall' && (this.#isAggregate(inner) || inner['over'] !== undefined)
        ? false
        : undefined;
    });
    return ungrouped;
  }

  #visitColumn(body: Body, insideAggregate: boolean): void {
    const range = this.#rangeOfColumn(body);
    if (listOf(body, 'fields').some((field) => bodyOf(field, 'A_Star') !== undefined)) {
      throw errors.windowUnsupportedHere(
        this.#window.name,
        '* in the select list',
        'Write the columns out.',
        { position: this.#source.positionOf(this.#source.startOf(range)) },
      );
    }
    if (!insideAggregate && this.#isOuter(body)) return;
    this.#use(range, insideAggregate);
  }

  /** A column of a level around this one can be read where it stands. */
  #isOuter(body: Body): boolean {
    const qualifier = namesOf(listOf(body, 'fields')).at(-2);
    return qualifier !== undefined && !this.#names.has(qualifier);
  }

  #use(range: TokenRange, insideAggregate: boolean): void {
    if (!insideAggregate && this.#hasGroupingSets) {
      this.#refuse(
        'a column beside ROLLUP, CUBE or GROUPING SETS that is not written as in them',
        'Write the column as in GROUP BY, or compute the windows in a subquery of their own.',
        range,
      );
      return;
    }
    const column = this.#lift(range, insideAggregate ? 'input' : 'extra');
    this.#columnUses.push({ range, column });
  }

  #refuse(what: string, hint: string, range: TokenRange): void {
    const position = this.#source.positionOf(this.#source.startOf(range));
    const { name } = this.#window;
    this.#refusal ??= errors.windowUnsupportedHere(name, what, hint, { position });
  }

  #liftLeaves(value: unknown): void {
    walk(value, (tag, body) => {
      if (tag === 'ColumnRef') this.#visitColumn(body, true);
      return undefined;
    });
  }

  #rangeOfColumn(body: Body): TokenRange {
    const from = this.#source.tokenOfByte(locationOf(body));
    let { to } = nameRange(this.#source, from);
    while (this.#source.name(to) === '.') to = nameRange(this.#source, to + 1).to;
    return { from, to };
  }

  /**
   * A subquery stays where it is, its columns of this level replaced, where it is certain which
   * those are. Otherwise it is computed per row below, where all names still mean something.
   */
  #visitSubLink(body: Body, insideAggregate: boolean): void {
    this.#visit(body['testexpr'], insideAggregate);
    const read = readSubquery(this.#source, body['subselect'], this.#names);
    const doubt = this.#doubtOf(body, read);
    const isValue = body['testexpr'] === undefined;
    if (isValue && (insideAggregate || (doubt !== undefined && this.#mayBePerRow(read)))) {
      this.#use(this.#rangeOfSubLink(body), insideAggregate);
      return;
    }
    if (insideAggregate) return;
    if (doubt !== undefined) this.#refuse(doubt.what, doubt.hint, doubt.range);
    for (const node of read.own) this.#useKey(node);
    for (const call of read.aggregates) this.#visitAggregate(call, false);
  }

  #mayBePerRow(read: SubqueryColumns): boolean {
    return !this.#hasGroupingSets && read.aggregates.length === 0;
  }

  /** What keeps a subquery from staying where it is. */
  #doubtOf(
    body: Body,
    read: SubqueryColumns,
  ): { readonly what: string; readonly hint: string; readonly range: TokenRange } | undefined {
    const hint = 'Compute the windows in a subquery of their own.';
    const isKey = (node: Node) => this.#keys.some((key) => this.#same(key.node, node));
    const foreign = read.own.find((node) => !isKey(node));
    if (foreign !== undefined) {
      const range = this.#rangeOfColumn(foreign['ColumnRef']!);
      return { what: 'a subquery that reads a column not in GROUP BY', hint, range };
    }
    const range = this.#rangeOfSubLink(body);
    const readsLevel = read.own.length + read.aggregates.length > 0;
    if (readsLevel && read.holdsWindow) {
      return { what: 'a subquery with a window that reads columns around it', hint, range };
    }
    const isValue = body['testexpr'] === undefined;
    const open = read.open.find((node) => {
      if (isValue && this.#mayBePerRow(read)) return true;
      const name = singleName(node);
      return isKey(node) && (isValue || name === undefined || generatedName.test(name));
    });
    if (open === undefined) return undefined;
    return {
      what: 'a subquery that reads a column without its table',
      hint: 'Write the name of its table before the column.',
      range: this.#rangeOfColumn(open['ColumnRef']!),
    };
  }

  #rangeOfSubLink(body: Body): TokenRange {
    const from = this.#source.tokenOfByte(locationOf(body));
    let open = from;
    while (this.#source.name(open) !== '(') open += 1;
    return { from, to: this.#source.partner(open) + 1 };
  }

  #lift(range: TokenRange, role: LiftedColumn['role']): LiftedColumn {
    const known = this.#columns.find((column) => this.#source.sameTokens(column.range, range));
    // A key serves as an input too; an input must not become a key by being mentioned.
    if (known !== undefined && (known.role === role || known.role !== 'input')) return known;
    const letter = { key: 'k', extra: 'f', input: 'c' }[role];
    const number = this.#columns.filter((column) => column.role === role).length + 1;
    const column: LiftedColumn = { name: `${letter}${number}`, range, role };
    this.#columns.push(column);
    return column;
  }

  #callOf(node: Node): WindowCall | undefined {
    const body = bodyOf(node, 'FuncCall');
    return this.#scope.calls.find((scoped) => scoped.call.body === body)?.call;
  }

  #isWindow(node: Node): boolean {
    const call = this.#callOf(node);
    return call !== undefined && sameWindow(call, this.#window);
  }

  #targetNames(targets: readonly Target[]): readonly TargetName[] {
    const replaced = [...this.#columnUses, ...this.#windowUses].map((use) => use.range.from);
    const aggregated = this.#aggregates.map((aggregate) => aggregate.call.range.from);
    return targets
      .filter((target) => target.alias === undefined)
      .filter(({ range }) =>
        [...replaced, ...aggregated].some((from) => from >= range.from && from < range.to),
      )
      .map((target) => ({ end: target.range, name: columnName(target.node) }));
  }
}

/** Whether two calls are windows of the same kind, time, sizes, origin and zone. */
export function sameWindow(left: WindowCall, right: WindowCall): boolean {
  return left.kind === right.kind && sameTree(left.body['args'], right.body['args']);
}

function holdsWindowCall(node: Node, scope: SelectScope, window?: WindowCall): boolean {
  let found = false;
  walk(node, (tag, body) => {
    const call = scope.calls.find((scoped) => scoped.call.body === body)?.call;
    if (tag === 'FuncCall' && call !== undefined) {
      if (window === undefined || sameWindow(call, window)) found = true;
    }
    return undefined;
  });
  return found;
}

function functionNames(call: Body): readonly string[] {
  return namesOf(listOf(call, 'funcname'));
}

function dependsOnRow(node: Node): boolean {
  let found = false;
  walk(node, (tag) => {
    if (tag === 'ColumnRef' || tag === 'SubLink') found = true;
    return undefined;
  });
  return found;
}

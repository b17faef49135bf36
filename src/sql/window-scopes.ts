import type { PgError } from '../core/errors/pg-error.ts';
import * as errors from '../core/errors/windows.ts';
import { type Body, bodyOf, listOf, locationOf, type Node } from './parse-tree.ts';
import type { Source } from './source.ts';
import { isWindowCall, readWindowCall, type WindowCall } from './window-call.ts';

/** A window call with the clause of its SELECT (a field name of SelectStmt) it stands in. */
export type ScopedCall = { readonly call: WindowCall; readonly clause: string };

/** A window function standing in FROM: the table-valued form. */
export type TableCall = { readonly body: Body; readonly rangeFunction: Body };

/** One SELECT level that holds window calls of its own. */
export type SelectScope = {
  readonly body: Body;
  readonly calls: readonly ScopedCall[];
  readonly tables: readonly TableCall[];
};

/** The window calls of one statement. */
export type WindowScopes = {
  /** Inner levels before the ones around them. */
  readonly selects: readonly SelectScope[];
  /** Calls that belong to no SELECT, such as those of UPDATE ... SET or an index expression. */
  readonly outside: readonly WindowCall[];
};

type Level = { calls: ScopedCall[]; tables: TableCall[] };
type Place = { readonly level: Level | undefined; readonly clause: string };

/** Statements whose calls, in a WITH, belong to no SELECT. */
const dataModifying = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);

/** Finds every window call of a statement and the SELECT level it belongs to. */
export function findWindowScopes(
  source: Source,
  statement: Node,
  parameterTypes: readonly number[],
): WindowScopes {
  const selects: SelectScope[] = [];
  const outside: WindowCall[] = [];

  const visit = (value: unknown, place: Place): void => {
    const pending: unknown[] = [value];
    while (pending.length > 0) {
      const next = pending.pop();
      if (typeof next !== 'object' || next === null) continue;
      const children: unknown[] = [];
      for (const [key, child] of Object.entries(next)) {
        if (key === 'SelectStmt') visitSelect(child as Body);
        else if (dataModifying.has(key)) visit(child, { level: undefined, clause: key });
        else if (key === 'RangeFunction') visitRangeFunction(child as Body, place);
        else if (key === 'FuncCall') visitFunction(child as Body, place);
        else children.push(child);
      }
      pending.push(...children.reverse());
    }
  };

  const visitSelect = (body: Body): void => {
    const isSetOperation = body['larg'] !== undefined;
    if (isSetOperation) {
      visitSelect(body['larg'] as Body);
      visitSelect(body['rarg'] as Body);
    }
    // VALUES and set operations have no select list of their own.
    const hasLevel = !isSetOperation && body['valuesLists'] === undefined;
    const level: Level = { calls: [], tables: [] };
    for (const [clause, child] of Object.entries(body)) {
      if (clause === 'larg' || clause === 'rarg') continue;
      visit(child, { level: hasLevel ? level : undefined, clause });
    }
    if (level.calls.length + level.tables.length > 0) selects.push({ body, ...level });
  };

  const visitFunction = (body: Body, place: Place): void => {
    if (isWindowCall(source, body)) {
      const call = readWindowCall(source, body, parameterTypes);
      if (place.level === undefined) outside.push(call);
      else place.level.calls.push({ call, clause: place.clause });
    }
    visit(Object.values(body), place);
  };

  const visitRangeFunction = (body: Body, place: Place): void => {
    const functions = listOf(body, 'functions').map((item) => bodyOf(item, 'List'));
    const calls = functions.map((list) => bodyOf(list && listOf(list, 'items')[0], 'FuncCall'));
    const ours = calls.find((call) => call !== undefined && isWindowCall(source, call));
    if (ours === undefined || place.level === undefined) {
      visit(Object.values(body), place);
      return;
    }
    if (calls.length > 1 || body['is_rowsfrom'] === true || body['ordinality'] === true) {
      throw notWithRowsFrom(source, ours);
    }
    place.level.tables.push({ body: ours, rangeFunction: body });
  };

  visit(statement, { level: undefined, clause: '' });
  return { selects, outside };
}

function notWithRowsFrom(source: Source, call: Body): PgError {
  const at = source.tokenOfByte(locationOf(call));
  return errors.windowUnsupportedHere(
    source.name(at),
    'ROWS FROM or WITH ORDINALITY',
    'Read the windows in a subquery of their own.',
    { position: source.positionOf(source.tokens[at]!.start) },
  );
}

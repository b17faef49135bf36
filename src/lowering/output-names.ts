import { columnName } from '../sql/column-name.ts';
import { type Body, bodyOf, listOf, locationOf, type Node, walk } from '../sql/parse-tree.ts';
import type { Target } from '../sql/select-targets.ts';
import type { Source, TokenRange } from '../sql/source.ts';
import type { WindowCall } from '../sql/window-call.ts';
import type { Edits } from './splice.ts';
import { asName } from './windows/grouped.ts';

/**
 * Output columns keep the names they have by their window: the probe and the lowered statement
 * spell them out alike, because other parts of the statement may read them.
 */
export function nameOutputs(
  edits: Edits,
  source: Source,
  targets: readonly Target[],
  calls: readonly WindowCall[],
): void {
  for (const { alias, range, node } of targets) {
    if (alias === undefined && holdsCall(calls, range)) nameOutput(edits, source, range, node);
  }
}

/** RETURNING TUMBLE(...) is named as SELECT TUMBLE(...) is. */
export function nameReturning(
  edits: Edits,
  source: Source,
  statement: Node,
  calls: readonly WindowCall[],
): void {
  if (calls.length === 0) return;
  walk(statement, (tag, body) => {
    if (!dataModifying.has(tag)) return undefined;
    for (const item of returned(body)) {
      const target = bodyOf(item, 'ResTarget')!;
      const from = source.tokenOfByte(locationOf(target));
      const range = { from, to: endOfItem(source, from) };
      if (target['name'] !== undefined || !holdsCall(calls, range)) continue;
      nameOutput(edits, source, range, target['val'] as Node);
    }
    return undefined;
  });
}

const dataModifying = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);

function returned(body: Body): readonly Node[] {
  const clause = body['returningClause'] as Body | undefined;
  return clause === undefined ? [] : listOf(clause, 'exprs');
}

/** RETURNING is the last clause, so an item ends at a comma or with the statement. */
function endOfItem(source: Source, from: number): number {
  let at = from;
  for (; at < source.tokens.length; at += 1) {
    const partner = source.partner(at);
    if (partner > at) at = partner;
    else if (partner >= 0 || [',', ';'].includes(source.name(at))) break;
  }
  return at;
}

function holdsCall(calls: readonly WindowCall[], { from, to }: TokenRange): boolean {
  return calls.some(({ range }) => range.from >= from && range.to <= to);
}

function nameOutput(edits: Edits, source: Source, range: TokenRange, node: Node): void {
  edits.insert(source.endOf(range), ` AS ${asName(columnName(node))}`);
}

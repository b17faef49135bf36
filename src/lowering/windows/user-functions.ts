import { quoteIdentifier, quoteLiteral } from '../../core/quoting.ts';
import { looksAggregate, mayAggregate, type UserFunctions } from '../../sql/aggregate-call.ts';
import { type Body, listOf, namesOf, walk } from '../../sql/parse-tree.ts';
import type { Source } from '../../sql/source.ts';
import { isWindowCall } from '../../sql/window-call.ts';
import type { Survey } from '../survey.ts';

/**
 * Asks which functions of a level are aggregates of the user's own. All that may be are asked for
 * before the level is read, because what is read depends on the answers and the numbers of the
 * questions must not.
 */
export function askUserFunctions(source: Source, level: Body, survey: Survey): UserFunctions {
  const questions = new Map<string, number>();
  const { targetList, distinctClause, groupClause, havingClause, sortClause, windowClause } = level;
  const clauses = [targetList, distinctClause, groupClause, havingClause, sortClause, windowClause];
  walk(clauses, (tag, body) => {
    if (tag === 'SubLink') return false;
    if (tag !== 'FuncCall' || looksAggregate(body) || !mayAggregate(body)) return undefined;
    if (isWindowCall(source, body)) return undefined;
    const names = namesOf(listOf(body, 'funcname'));
    const name = JSON.stringify(names);
    if (!questions.has(name)) questions.set(name, survey.ask(isAggregateSql(names)));
    return undefined;
  });
  return {
    isAggregate(names) {
      const question = questions.get(JSON.stringify(names));
      return question === undefined ? undefined : survey.answer(question);
    },
  };
}

/** NULL where there is no such function, or some of that name are aggregates and some are not. */
function isAggregateSql(names: readonly string[]): string {
  const schema = names.at(-2);
  const place =
    schema === undefined
      ? 'pg_catalog.pg_function_is_visible(oid)'
      : `pronamespace = pg_catalog.to_regnamespace(${quoteLiteral(quoteIdentifier(schema))})`;
  return (
    "SELECT CASE WHEN bool_and(prokind = 'a') THEN true WHEN bool_and(prokind <> 'a') THEN false END " +
    `FROM pg_catalog.pg_proc WHERE proname = ${quoteLiteral(names.at(-1)!)} AND ${place}`
  );
}

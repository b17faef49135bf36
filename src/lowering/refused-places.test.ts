import { type PlaceError, type Refused, testRefusals } from '../testing/oracle/refused.ts';

const hopTable =
  'Add the window to GROUP BY, or read the windows of each row with ' +
  'FROM HOP(TABLE t, DESCRIPTOR(time), slide, size).';
const sessionTable =
  'Add the window to GROUP BY, or read the windows of each row with ' +
  'FROM SESSION(TABLE t, DESCRIPTOR(time), gap).';
const sameWindow = 'Use the same time, sizes, origin and time zone as the window in GROUP BY.';

/** Every error about places, each with texts that bring it about. */
const refusals: Readonly<Record<PlaceError, readonly Refused[]>> = {
  windowNeedsGroupBy: [
    {
      text: "SELECT ¦HOP(ts, '1 hour', '2 hours') FROM t",
      code: '0A000',
      message: 'hop needs a GROUP BY that holds the window',
      hint: hopTable,
    },
    {
      text: "SELECT a FROM t GROUP BY a ORDER BY ¦SESSION_END(ts, '1 hour')",
      code: '0A000',
      message: 'session_end needs a GROUP BY that holds the window',
      hint: sessionTable,
    },
    {
      text: "SELECT ¦HOP(ts, '1 hour', '2 hours') FROM t GROUP BY TUMBLE(ts, '1 hour')",
      code: '0A000',
      message: 'hop needs a GROUP BY that holds the window',
      hint: hopTable,
    },
  ],
  windowNotAllowedIn: [
    {
      text: "SELECT 1 FROM t WHERE ¦HOP(ts, '1 hour', '2 hours') > now()",
      code: '0A000',
      message: 'hop is not allowed in WHERE',
      hint: hopTable,
    },
    {
      text: "SELECT 1 FROM t JOIN u ON ¦SESSION(ts, '1 hour') = u.ts",
      code: '0A000',
      message: 'session is not allowed in FROM',
      hint: sessionTable,
    },
    {
      text: "UPDATE t SET ts = ¦SESSION_START(ts, '1 hour')",
      code: '0A000',
      message: 'session_start is not allowed in this statement',
      hint: sessionTable,
    },
  ],
  windowsDiffer: [
    {
      text: "SELECT 1 FROM t GROUP BY TUMBLE(ts, '1 hour'), ¦TUMBLE(ts, '2 hours')",
      code: '0A000',
      message: 'a query level cannot group by two different windows',
      hint: 'Compute one of the windows in a subquery.',
    },
    {
      text: "SELECT 1 FROM t GROUP BY SESSION(ts, '1 hour'), ¦HOP(ts, '1 h', '2 h')",
      code: '0A000',
      message: 'a query level cannot group by two different windows',
      hint: 'Compute one of the windows in a subquery.',
    },
  ],
  windowNotGrouped: [
    {
      text: "SELECT HOP(ts, '1 h', '2 h'), ¦HOP_END(ts, '1 h', '3 h') FROM t GROUP BY 1",
      code: '42803',
      message: 'hop_end must appear in the GROUP BY clause',
      hint: sameWindow,
    },
    {
      text: "SELECT 1 FROM t GROUP BY SESSION(ts, '1 h') HAVING ¦SESSION(other, '1 h') > now()",
      code: '42803',
      message: 'session must appear in the GROUP BY clause',
      hint: sameWindow,
    },
  ],
  windowNotAlone: [
    {
      text: "SELECT 1 FROM t GROUP BY date_trunc('day', ¦HOP(ts, '1 h', '2 h'))",
      code: '0A000',
      message: 'hop must stand alone in GROUP BY',
      hint: 'Group by the window itself, and by the larger expression in an outer query.',
    },
  ],
  windowInGroupingSets: [
    {
      text: "SELECT 1 FROM t GROUP BY ROLLUP (a, ¦SESSION(ts, '1 hour'))",
      code: '0A000',
      message: 'session is not supported in ROLLUP, CUBE or GROUPING SETS',
      detail: 'What a session is depends on the other grouping columns.',
      hint: 'Compute the sessions in a subquery and group its result.',
    },
  ],
  windowUnsupportedHere: [
    {
      text: "SELECT HOP(ts, '1 h', '2 h'), ¦* FROM t GROUP BY 1",
      code: '0A000',
      message: 'hop is not supported with * in the select list',
      hint: 'Write the columns out.',
    },
    {
      text: "SELECT max(¦SESSION_END(ts, '1 h')) FROM t GROUP BY SESSION(ts, '1 h')",
      code: '0A000',
      message: 'session_end is not supported with an aggregate around it',
      hint: 'Compute the sessions in a subquery and aggregate its result.',
    },
    {
      text: "SELECT 1 FROM ROWS FROM (¦HOP(TABLE t, DESCRIPTOR(ts), '1 h', '2 h')) AS w",
      code: '0A000',
      message: 'hop is not supported with ROWS FROM or WITH ORDINALITY',
      hint: 'Read the windows in a subquery of their own.',
    },
    {
      text: "SELECT 1 FROM ¦TUMBLE(f(1), ts, '1 h') AS w",
      code: '0A000',
      message: 'tumble is not supported with a first argument that is not a table',
      hint:
        'Write FROM TUMBLE(TABLE t, DESCRIPTOR(time), ...), ' +
        'with a table, view or WITH query as t.',
    },
    {
      text: "SELECT HOP(ts, '1 h', '2 h'), (a ¦+ b) FROM t GROUP BY 1, a +  (b)",
      code: '0A000',
      message: 'hop is not supported with a grouping expression written in two ways',
      hint: 'Write the expression exactly as in GROUP BY, brackets included, or give it an alias.',
    },
  ],
};

describe('a window in a wrong place', () => testRefusals(refusals));

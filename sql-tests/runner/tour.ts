import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Administrator } from './administrator.ts';
import { repositoryRoot } from './discover.ts';
import { TestFailure } from './format/test-failure.ts';
import { printAsPsql } from './psql-table.ts';
import type { FileResult, Servers } from './run-file.ts';
import { plainSending, Session } from './session.ts';

export const tourPath = 'docs/tour.md';

/** An SQL example of the tour and the output shown after it. */
type Example = {
  /** 1-based line of the SQL. */
  readonly line: number;
  readonly sql: string;
  readonly output: string;
  /** Where the output stands in the text. */
  readonly from: number;
  readonly to: number;
};

const examplePattern = /```sql\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```\n/g;

export function findExamples(text: string): Example[] {
  return [...text.matchAll(examplePattern)].map((match) => {
    const [whole, sql = '', output = ''] = match;
    const to = match.index + whole.length - '```\n'.length;
    const line = text.slice(0, match.index).split('\n').length + 1;
    return { line, sql, output, from: to - output.length, to };
  });
}

/** Runs the tour's SQL through the endpoint and compares what it shows, or rewrites it. */
export async function runTour(
  servers: Servers,
  options: { isUpdating: boolean },
): Promise<FileResult> {
  const path = join(repositoryRoot(), tourPath);
  const text = readFileSync(path, 'utf8');
  const examples = findExamples(text);
  const withoutOutput = (text.match(/^```sql$/gm) ?? []).length - examples.length;
  const failures: TestFailure[] = [];
  if (withoutOutput > 0) {
    failures.push(new TestFailure(tourPath, 1, `${withoutOutput} sql blocks show no output`));
  }
  let updated = '';
  let copiedTo = 0;
  await inFreshDatabase(servers, async (session) => {
    for (const example of examples) {
      const output = (await runExample(session, example.sql)).map((line) => `${line}\n`).join('');
      updated += text.slice(copiedTo, example.from) + output;
      copiedTo = example.to;
      if (output === example.output || options.isUpdating) continue;
      const message = `the output differs; it is\n${output}`;
      failures.push(new TestFailure(tourPath, example.line, message));
    }
  });
  updated += text.slice(copiedTo);
  if (!options.isUpdating || updated === text) return { failures };
  writeFileSync(path, updated);
  return { failures, updated };
}

async function inFreshDatabase(
  { postgres, endpoint }: Servers,
  use: (session: Session) => Promise<void>,
): Promise<void> {
  const database = `sql_tests_${process.pid}_tour`;
  const administrator = await Administrator.open({ ...postgres, database: 'postgres' });
  await administrator.rows(`CREATE DATABASE ${database} TEMPLATE template0 ENCODING 'UTF8'`);
  const login = { ...endpoint, user: postgres.user, database };
  const session = await Session.open('tour', login, new Map());
  try {
    await use(session);
  } finally {
    session.connection.close();
    await administrator.rows(`DROP DATABASE ${database} WITH (FORCE)`);
    administrator.close();
  }
}

/** psql runs a `\copy` by feeding the file to COPY FROM STDIN, so that is what is done here. */
async function runExample(session: Session, sql: string): Promise<string[]> {
  const copies = [...sql.matchAll(/^\\copy (\w+) FROM '([^']+)' (.*)$/gm)];
  if (copies.length === 0) return run(session, sql, undefined);
  const lines: string[] = [];
  for (const [, table = '', file = '', options = ''] of copies) {
    const data = readFileSync(join(repositoryRoot(), file));
    lines.push(...(await run(session, `COPY ${table} FROM STDIN ${options}`, data)));
  }
  return lines;
}

/** As psql does, each statement is sent on its own. None of the tour has a semicolon inside. */
async function run(session: Session, sql: string, data: Buffer | undefined): Promise<string[]> {
  const lines: string[] = [];
  for (const statement of sql.split(/;\s*\n/).filter((part) => part.trim() !== '')) {
    const messages = await session.run({
      sql: statement,
      sending: plainSending,
      parameters: undefined,
      stdin: data === undefined ? undefined : { kind: 'data', data },
    });
    lines.push(...printAsPsql(statement, messages));
  }
  return lines;
}

import { eventually } from '../../src/app/eventually.ts';
import { startEndpoint, type TestEndpoint } from '../../src/testing/test-endpoint.ts';
import { actions } from './actions/registry.ts';
import { Administrator } from './administrator.ts';
import { applyEdits, type Block } from './format/block.ts';
import { Mismatch, TestFailure } from './format/test-failure.ts';
import { parseTestFile, type TestFile } from './format/test-file.ts';
import { compareRuns, type ObservedBlock } from './parity.ts';
import { RunContext } from './run-context.ts';
import { TypeNames } from './type-names.ts';
import type { Address } from './wire/connection.ts';

/** Where files are run. */
export type Servers = {
  /** Postgres itself. */
  readonly postgres: Address & { readonly user: string };
  /** HeliosDB in front of it. */
  readonly endpoint: Address;
  /** Major version of that Postgres. */
  readonly version: number;
};

export type FileResult = {
  readonly failures: readonly TestFailure[];
  /** Why the file was not run. */
  readonly skipped?: string;
  /** The file's new text, when `--update` changed it. */
  readonly updated?: string;
};

type RunOutcome = {
  readonly failures: TestFailure[];
  readonly observed: readonly ObservedBlock[];
  readonly updated: string;
};

/** Failures of one file that are reported; what follows the first is seldom news. */
const failuresMax = 5;
/** How long the server may take to notice that a node has gone, ms. */
const slotReleaseMaxMs = 10_000;

/**
 * Runs a file through the endpoint. A file of `parity/` is run on Postgres itself as well, its
 * expectations are checked there, and then both runs must have shown the client the same.
 */
export async function runFile(
  file: TestFile,
  servers: Servers,
  options: { isUpdating: boolean },
): Promise<FileResult> {
  const { isUpdating } = options;
  const atLeast = Math.max(
    ...file.needs.map((need) => (need.service === 'postgres' ? need.atLeast : 0)),
  );
  if (atLeast > servers.version) {
    return { failures: [], skipped: `needs Postgres ${atLeast}, has ${servers.version}` };
  }
  const isCompared = isParity(file);
  const first = await runOnce(file, servers, {
    address: isCompared ? servers.postgres : servers.endpoint,
    isUpdating,
  });
  const failures = [...first.failures];
  if (isCompared && first.failures.length === 0) {
    const { path, name } = file;
    const written = parseTestFile({ path, name, text: first.updated });
    const second = await runOnce(written, servers, {
      address: servers.endpoint,
      isUpdating: false,
    });
    failures.push(...compareRuns(file, first.observed, second.observed));
    // Only where both runs look alike does a failure of the second say something more.
    if (failures.length === 0) failures.push(...second.failures);
  }
  return {
    failures: failures.slice(0, failuresMax),
    ...(first.updated === file.text ? {} : { updated: first.updated }),
  };
}

function isParity({ name }: TestFile): boolean {
  return name.startsWith('parity/');
}

async function runOnce(
  file: TestFile,
  { postgres }: Servers,
  options: { address: Address; isUpdating: boolean },
): Promise<RunOutcome> {
  const database = `sql_tests_${process.pid}_${file.name.replaceAll(/\W/g, '_')}`;
  const main = await Administrator.open({ ...postgres, database: 'postgres' });
  try {
    // The same name for both runs of a file, so that it is no difference when a message has it.
    await main.rows(`CREATE DATABASE ${database} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'`);
    const administrator = await Administrator.open({ ...postgres, database });
    const node = needsCapture(file) ? await startCapture(postgres, database) : undefined;
    const run = new RunContext({
      login: { ...(node ?? options.address), user: postgres.user, database },
      types: await TypeNames.load(administrator),
      administrator,
      isUpdating: options.isUpdating,
      isParity: isParity(file),
    });
    try {
      const failures = await runBlocks(file, run);
      return {
        failures,
        observed: run.observed,
        updated: applyEdits(file.text, run.edits),
      };
    } finally {
      run.close();
      administrator.close();
      await node?.stop();
    }
  } finally {
    await cleanUp(main, database, file);
    main.close();
  }
}

function needsCapture({ needs }: TestFile): boolean {
  return needs.some(({ service }) => service === 'capture');
}

/** A node for one file, which captures its database. */
function startCapture(
  { host, port, user }: Servers['postgres'],
  database: string,
): Promise<TestEndpoint> {
  return startEndpoint({
    upstream: `postgres://${encodeURIComponent(user)}@${host}:${port}/${database}`,
    flags: ['--capture', 'on', '--roles', 'proxy,engine,connectors', '--proxies', '1'],
  });
}

/** Roles are shared by all databases of a server, so a file names its own after itself. */
export function rolePrefix(file: TestFile): string {
  return `${file.name.slice(file.name.indexOf('/') + 1).replaceAll('-', '_')}_`;
}

async function cleanUp(main: Administrator, database: string, file: TestFile): Promise<void> {
  // A slot keeps its database from being dropped; the server notices a moment later that the node
  // which read from it has gone.
  const isActive = `SELECT FROM pg_replication_slots WHERE database = '${database}' AND active`;
  await eventually(async () => (await main.rows(isActive)).length === 0, slotReleaseMaxMs);
  await main.rows(
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
      WHERE database = '${database}'`,
  );
  await main.rows(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  const roles = await main.rows(
    `SELECT quote_ident(rolname) FROM pg_roles WHERE starts_with(rolname, '${rolePrefix(file)}')`,
  );
  for (const [role] of roles) await main.rows(`DROP ROLE ${role}`);
}

async function runBlocks(file: TestFile, run: RunContext): Promise<TestFailure[]> {
  const failures: TestFailure[] = [];
  const fail = (block: Block | undefined, error: unknown): void => {
    const reason = error instanceof Error ? error.message : String(error);
    failures.push(new TestFailure(file.path, block?.line ?? 1, reason));
  };
  try {
    const { greeting } = await run.switchTo('main', new Map());
    run.observe({ line: 1, head: 'startup', body: '', expected: undefined, endLine: 1 }, greeting);
  } catch (error) {
    fail(undefined, error);
    return failures;
  }
  for (const block of file.blocks) {
    try {
      await runBlock(run, block);
    } catch (error) {
      fail(block, error);
      // Anything else than a difference leaves the session in a state nobody knows.
      if (!(error instanceof Mismatch)) break;
    }
  }
  return failures;
}

async function runBlock(run: RunContext, block: Block): Promise<void> {
  const [, verb = '', argument = ''] = /^(\$ \S+|\S+) ?(.*)$/.exec(block.head) ?? [];
  const action = actions.get(verb);
  if (action === undefined) throw new Mismatch(`"${verb}" is neither a record nor an action`);
  await action(run, block, argument);
}

import { type Block, splitBlocks } from './block.ts';
import { TestFailure } from './test-failure.ts';

/**
 * What a file needs to run: Postgres, with the least version that will do, or a node of its own
 * that captures its database.
 */
export type Need =
  | { readonly service: 'postgres'; readonly atLeast: number }
  | { readonly service: 'capture' };

export type TestFile = {
  /** Path below the repository root, as reported. */
  readonly path: string;
  /** `parity/ddl-tables`; the first part says how the file is run. */
  readonly name: string;
  readonly about: string;
  readonly needs: readonly Need[];
  readonly text: string;
  readonly blocks: readonly Block[];
};

export const testFileSuffix = '.slt';

const headerKeys = ['name', 'about', 'needs'] as const;

/** Reads a file's text; `name` is what its path says it must be called. */
export function parseTestFile(source: { path: string; name: string; text: string }): TestFile {
  const { path, name, text } = source;
  const lines = text.split('\n');
  const [named = '', about = '', needs = ''] = headerKeys.map((key, index) => {
    const value = new RegExp(`^# ${key}: (\\S.*)$`).exec(lines[index] ?? '')?.[1];
    if (value === undefined) {
      throw new TestFailure(path, index + 1, `line ${index + 1} must be "# ${key}: ..."`);
    }
    return value;
  });
  if (named !== name) {
    throw new TestFailure(path, 1, `the file says its name is "${named}", its path says "${name}"`);
  }
  if (lines[headerKeys.length] !== '') {
    throw new TestFailure(path, headerKeys.length + 1, 'an empty line must follow the header');
  }
  return {
    path,
    name,
    about,
    needs: needs.split(',').map((need) => parseNeed(need.trim(), path)),
    text,
    blocks: splitBlocks(text),
  };
}

function parseNeed(need: string, path: string): Need {
  if (need === 'capture') return { service: 'capture' };
  const match = /^postgres(?: >= (\d+))?$/.exec(need);
  if (match === null) {
    throw new TestFailure(
      path,
      3,
      `"${need}" is not a need; write "postgres", "postgres >= 15" or "capture"`,
    );
  }
  return { service: 'postgres', atLeast: Number(match[1] ?? 14) };
}

import type { Block } from './format/block.ts';
import { TestFailure } from './format/test-failure.ts';
import type { TestFile } from './format/test-file.ts';

/** What a client saw of one block: one line a message. */
export type ObservedBlock = { readonly block: Block; readonly lines: readonly string[] };

/** One failure for each block whose messages were not the same in both runs. */
export function compareRuns(
  file: TestFile,
  direct: readonly ObservedBlock[],
  through: readonly ObservedBlock[],
): TestFailure[] {
  const failures: TestFailure[] = [];
  for (let at = 0; at < Math.max(direct.length, through.length); at += 1) {
    const [wanted, got] = [direct[at], through[at]];
    const line = (wanted ?? got)?.block.line ?? 1;
    const difference = compareLines(wanted?.lines ?? [], got?.lines ?? []);
    if (difference !== undefined) failures.push(new TestFailure(file.path, line, difference));
    // After a block that only one run got to, the rest is shifted and says nothing.
    if (wanted === undefined || got === undefined) break;
  }
  return failures;
}

function compareLines(direct: readonly string[], through: readonly string[]): string | undefined {
  for (let at = 0; at < Math.max(direct.length, through.length); at += 1) {
    if (direct[at] === through[at]) continue;
    const [wanted, got] = [direct[at] ?? 'nothing more', through[at] ?? 'nothing more'];
    return `message ${at + 1} differs\n  from Postgres ${wanted}\n  from HeliosDB ${got}`;
  }
  return undefined;
}

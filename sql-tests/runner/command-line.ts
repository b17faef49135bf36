import { parseArgs } from 'node:util';

export type Invocation =
  | { readonly kind: 'help' }
  | { readonly kind: 'mistake'; readonly message: string }
  | { readonly kind: 'run'; readonly filters: readonly string[]; readonly isUpdating: boolean };

export const usage = `npm run sql-tests -- [--update] [PATH...]

Runs the files of sql-tests, and the tour, whose path has one of PATH in it; all without one.
  --update  rewrites what they expect
`;

export function parseCommandLine(args: readonly string[]): Invocation {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        update: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return { kind: 'help' };
    return { kind: 'run', filters: positionals, isUpdating: values.update };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { kind: 'mistake', message: error.message.split('. ')[0] ?? '' };
  }
}

/** Whether a path is among those asked for. */
export function isChosen(path: string, filters: readonly string[]): boolean {
  return filters.length === 0 || filters.some((filter) => path.includes(filter));
}

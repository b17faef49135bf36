/**
 * When a write fails, LMDB rejects promises of its own besides those it gave to whoever wrote, and
 * nobody can reach these. The failure itself is seen by the writer; anything else that is rejected
 * and not waited for goes on to end the process.
 */
export function tolerateFailedCommits(): void {
  process.on('unhandledRejection', (reason) => {
    const isFailedCommit = reason instanceof Error && 'commitError' in reason;
    if (!isFailedCommit) throw reason;
    const { commitError } = reason as { readonly commitError: unknown };
    if (commitError instanceof Promise) commitError.catch(() => undefined);
  });
}

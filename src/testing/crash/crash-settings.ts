/** Commits are safe from SIGKILL, not from a power cut; little memory, so that much is streamed. */
export const crashSettings: Readonly<Record<string, string>> = {
  fsync: 'off',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  max_prepared_transactions: '20',
  logical_decoding_work_mem: '64kB',
  wal_sender_timeout: '10s',
};

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogWriter } from './log-writer.ts';
import { type TableShape, TableVersions } from './table-versions.ts';

describe('table versions', () => {
  it('are all there, in whatever order they were asked for', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'heliosdb-versions-'));
    const writer = await LogWriter.open(directory, {
      source: { systemId: '1', databaseOid: 5, database: 'shop' },
      timeline: 1,
      term: 1,
      epoch: 1,
      startLsn: 1n,
    });
    try {
      const versions = new TableVersions(writer.store);
      const shape = (name: string): TableShape => ({
        oid: 1,
        schema: 'public',
        name,
        replicaIdentity: 'default',
        columns: [],
      });
      const ids = (): number[] => versions.all().map(({ id }) => id);
      writer.tableVersion(shape('a'));
      await writer.committed();
      assert.deepEqual(ids(), [1]);
      writer.tableVersion(shape('b'));
      writer.tableVersion(shape('c'));
      await writer.committed();
      assert.equal(versions.get(3).name, 'c');
      assert.deepEqual(ids(), [1, 2, 3]);
    } finally {
      await writer.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

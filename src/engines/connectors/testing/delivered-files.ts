import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../../app/eventually.ts';

/** A change as a file connector writes it. */
export type WrittenChange = {
  readonly id: string;
  readonly operation: string;
  readonly table: string;
  readonly key?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
};

/** What a file connector has written to a directory. */
export class DeliveredFiles {
  readonly directory: string;

  constructor(parent: string, name: string) {
    this.directory = join(parent, name);
    mkdirSync(this.directory, { recursive: true });
  }

  all(): readonly WrittenChange[] {
    return readdirSync(this.directory)
      .sort()
      .flatMap((file) => readFileSync(join(this.directory, file), 'utf8').split('\n'))
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as WrittenChange);
  }

  /** Ids of the rows that were inserted, each as often as it was delivered. */
  inserted(): readonly number[] {
    return this.all()
      .filter(({ operation }) => operation === 'INSERT')
      .map(({ after }) => Number(after?.['id']));
  }

  /** Waits until a row of that id was delivered. */
  async has(id: number): Promise<void> {
    const isThere = await eventually(() => this.inserted().includes(id), 30_000);
    assert.ok(isThere, `row ${id} was not delivered, the last ones: ${this.inserted().slice(-5)}`);
  }
}

import type { OutgoingChange } from '../../../contracts/sink.ts';

/** Fills `{database}`, `{schema}` and `{table}` of a template, each table once. */
export class Destinations {
  readonly #template: string;
  readonly #database: string;
  readonly #fit: (name: string) => string;
  readonly #known: Map<string, string> = new Map();

  /** @param fit makes a name that the sink takes */
  constructor(template: string, database: string, fit: (name: string) => string = (name) => name) {
    this.#template = template;
    this.#database = database;
    this.#fit = fit;
  }

  of({ change }: OutgoingChange): string {
    const { schema, name } = change.table ?? change.schemaChange ?? { schema: '', name: '' };
    const table = `${schema}\0${name}`;
    const known = this.#known.get(table);
    if (known !== undefined) return known;
    const filled = this.#template
      .replaceAll('{database}', () => this.#database)
      .replaceAll('{schema}', () => schema)
      .replaceAll('{table}', () => name);
    const fitting = this.#fit(filled);
    this.#known.set(table, fitting);
    return fitting;
  }
}

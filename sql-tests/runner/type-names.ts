import type { Administrator } from './administrator.ts';

/** Numbers below this are the same in every database of one server version. */
const firstUserOid = 16_384;

/** Names of types by number and back, as `pg_type` has them; arrays are written `text[]`. */
export class TypeNames {
  readonly #administrator: Administrator;
  readonly #names = new Map<number, string>([[0, 'undeclared']]);
  readonly #oids = new Map<string, number>();

  private constructor(administrator: Administrator) {
    this.#administrator = administrator;
  }

  /** Reads the types of the database the administrator is connected to. */
  static async load(administrator: Administrator): Promise<TypeNames> {
    const types = new TypeNames(administrator);
    await types.#load();
    return types;
  }

  nameOf(oid: number): string {
    return this.#names.get(oid) ?? (oid < firstUserOid ? `type ${oid}` : 'uncommitted-type');
  }

  /** Undefined for a name that no type has. */
  oidOf(name: string): number | undefined {
    return name === 'undeclared' ? 0 : this.#oids.get(name);
  }

  /** Makes sure that types made since the last look have names, if they are committed. */
  async learn(oids: readonly number[]): Promise<void> {
    if (oids.some((oid) => !this.#names.has(oid))) await this.#load();
  }

  async #load(): Promise<void> {
    const rows = await this.#administrator.rows(
      `SELECT t.oid, coalesce(e.typname || '[]', t.typname)
       FROM pg_type t LEFT JOIN pg_type e ON e.typarray = t.oid`,
    );
    for (const [oid, name] of rows) {
      this.#names.set(Number(oid), name ?? '');
      this.#oids.set(name ?? '', Number(oid));
    }
  }
}

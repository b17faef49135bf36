import type { TableVersion } from '../contracts/change.ts';
import type { ChangeAccess, VersionRights } from '../contracts/change-access.ts';
import { readRights, rightsOfRoleQuery, rightsParameter } from '../lowering/cdc/change-rights.ts';
import { Connection } from '../postgres/connection.ts';
import type { ConnectionTarget } from '../postgres/connection-target.ts';

/**
 * What roles may see in one database, asked on one connection of the node's own, so that clients
 * cost the server none. It is opened when it is needed, and again when it was lost.
 */
export class RoleAccess {
  readonly #target: ConnectionTarget;
  #connection: Promise<Connection> | undefined;

  constructor(target: ConnectionTarget) {
    this.#target = target;
  }

  of(role: string): ChangeAccess {
    return { rightsOn: (versions) => this.#rightsOn(role, versions) };
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await (await connection?.catch(() => undefined))?.close();
  }

  async #rightsOn(
    role: string,
    versions: readonly TableVersion[],
  ): Promise<ReadonlyMap<number, VersionRights>> {
    const connection = await this.#open();
    const values = [rightsParameter(versions), role];
    const [row] = await connection.query(rightsOfRoleQuery, values);
    return readRights(String(row?.['rights']), versions).versions;
  }

  async #open(): Promise<Connection> {
    const known = await this.#connection?.catch(() => undefined);
    if (known?.isOpen === true) return known;
    const opening = Connection.open(this.#target);
    this.#connection = opening;
    opening.catch(() => undefined);
    return opening;
  }
}

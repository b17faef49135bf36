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

  /** The same one for all who ask at the same moment. */
  #open(): Promise<Connection> {
    const opening = openOrReuse(this.#connection, this.#target);
    opening.catch(() => undefined);
    this.#connection = opening;
    return opening;
  }
}

async function openOrReuse(
  last: Promise<Connection> | undefined,
  target: ConnectionTarget,
): Promise<Connection> {
  const known = await last?.catch(() => undefined);
  return known?.isOpen === true ? known : Connection.open(target);
}

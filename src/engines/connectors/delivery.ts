import { setTimeout as delay } from 'node:timers/promises';
import { ConnectorCatalog, type KnownOption } from '../../catalog/connector-catalog.ts';
import { bindInstallation } from '../../catalog/installation.ts';
import { migrate } from '../../catalog/migrate.ts';
import { Ownership } from '../../catalog/ownership.ts';
import { Connection } from '../../postgres/connection.ts';
import { asPgError } from '../../postgres/server-error.ts';
import { connectorOptions } from '../../sql/cdc/connector-options.ts';
import { retryDelay } from './backoff.ts';
import type { DeliveryTask } from './delivery-task.ts';
import { DeliveryTenure } from './delivery-tenure.ts';
import { ownershipPollMs } from './limits.ts';

/**
 * Delivery to the connectors of one database by this node: waits until nobody else does it, then
 * delivers, and begins again after whatever ends that. Never rejects.
 */
export class Delivery {
  readonly #task: DeliveryTask;
  #wake: () => void = () => undefined;
  #said = '';

  constructor(task: DeliveryTask) {
    this.#task = task;
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures += 1) {
      const startedAt = performance.now();
      try {
        await this.#connected(signal);
      } catch (error) {
        this.#warn(error);
      }
      if (performance.now() - startedAt > ownershipPollMs) failures = 0;
      await this.#sleep(retryDelay(failures), signal);
    }
  }

  /** One control connection, from connecting to its end. */
  async #connected(signal: AbortSignal): Promise<void> {
    const { target, node } = this.#task;
    const connection = await Connection.open(target);
    const lost = new AbortController();
    connection.onceClosed(() => lost.abort());
    const either = AbortSignal.any([signal, lost.signal]);
    try {
      await connection.query('SET synchronous_commit = local');
      await migrate(connection);
      const catalog = new ConnectorCatalog(connection);
      await catalog.writeOptions(knownOptions());
      await connection.listen('heliosdb', () => this.#wake());
      const ownership = new Ownership(connection, node, 'delivery');
      while (!either.aborted) {
        if (await ownership.acquire()) {
          await bindInstallation(connection);
          const term = await catalog.takeOver(node);
          const tenure = new DeliveryTenure({ ...this.#task, connection, catalog, term });
          await tenure.run(either, (wake) => {
            this.#wake = wake;
          });
          if (connection.isOpen) await ownership.release();
        }
        await this.#sleep(ownershipPollMs, either);
      }
    } finally {
      await connection.close();
    }
  }

  /** The same once, however often it is tried. */
  #warn(error: unknown): void {
    const { target, logger } = this.#task;
    const { code, message, detail, hint } = asPgError(error);
    const said = `${code} ${message}`;
    if (said === this.#said) return;
    this.#said = said;
    const { database } = target;
    logger.warn('delivery to connectors stopped', { database, code, error: message, detail, hint });
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const either = AbortSignal.any([signal, woken.signal]);
    await delay(ms, undefined, { signal: either }).catch(() => undefined);
  }
}

function knownOptions(): KnownOption[] {
  return [...connectorOptions].flatMap(([type, options]) =>
    [...options].map(([option, { expected, isNeeded, isSecret }]) => ({
      type,
      option,
      expected,
      isNeeded: isNeeded === true,
      isSecret: isSecret === true,
    })),
  );
}

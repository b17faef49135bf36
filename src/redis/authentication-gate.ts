import { setTimeout as sleep } from 'node:timers/promises';
import { PgError } from '../core/errors/pg-error.ts';
import { authenticationUnavailable, wrongRedisPassword } from '../core/errors/redis.ts';
import {
  redisAuthenticationDelayMs,
  redisAuthenticationFailuresMax,
  redisAuthenticationsMax,
} from '../core/limits.ts';
import type { ClientState } from './client-state.ts';
import type { RedisServices } from './services.ts';

/**
 * Where passwords are checked: a few at a time whatever the number of clients, since each costs the
 * server a connection. Who waits keeps its place; a client has one at most, because its requests
 * are answered one after the other.
 */
export class AuthenticationGate {
  readonly #services: RedisServices;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(services: RedisServices) {
    this.#services = services;
  }

  /** Rejects with the PgError the client gets; a client that keeps guessing is told to leave. */
  async authenticate(client: ClientState, user: string, password: string): Promise<void> {
    const { authenticate, defaultUser, logger, metrics } = this.#services;
    // Client libraries name the user Redis has when they are given only a password.
    const role = user === 'default' ? defaultUser : user;
    await this.#enter();
    try {
      client.access = await authenticate(role, password);
      client.user = role;
      client.wrongPasswords = 0;
      return;
    } catch (error) {
      if (!(error instanceof PgError && error.code.startsWith('28'))) {
        logger.warn('redis password could not be checked', { remote: client.address, error });
        throw authenticationUnavailable(error);
      }
      metrics.authenticationFailed();
      logger.warn('redis client gave a wrong password', { remote: client.address, user: role });
    } finally {
      this.#leave();
    }
    client.wrongPasswords += 1;
    if (client.wrongPasswords >= redisAuthenticationFailuresMax) client.leaving = 'wrong-passwords';
    // After its turn, so that who guesses keeps nobody else waiting.
    await sleep(client.wrongPasswords * redisAuthenticationDelayMs);
    throw wrongRedisPassword();
  }

  async #enter(): Promise<void> {
    if (this.#underWay < redisAuthenticationsMax) {
      this.#underWay += 1;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Hands the place on. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#underWay -= 1;
    else next();
  }
}

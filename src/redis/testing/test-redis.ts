import type { TableVersion } from '../../contracts/change.ts';
import type { ChangeAccess, VersionRights } from '../../contracts/change-access.ts';
import type { RedisMetrics } from '../../contracts/redis-metrics.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import { MemoryLog } from '../../testing/memory-log.ts';
import { type RedisOptions, type RedisServer, startRedisServer } from '../redis-server.ts';
import type { EntryPrinter } from '../services.ts';

/** Rights by table name; what is not named may be read. */
export class TestAccess implements ChangeAccess {
  readonly rights: Map<string, VersionRights> = new Map();
  asked = 0;

  async rightsOn(versions: readonly TableVersion[]): Promise<ReadonlyMap<number, VersionRights>> {
    this.asked += 1;
    return new Map(
      versions.map(({ id, name }) => [id, this.rights.get(name) ?? { kind: 'all' }] as const),
    );
  }
}

export type TestRedis = RedisServer & {
  readonly log: MemoryLog;
  readonly access: TestAccess;
  /** What was counted and logged, a line each. */
  readonly events: string[];
};

/** An endpoint over a log in memory, of database `shop`; password `secret` is right. */
export async function startTestRedis(changed: Partial<RedisOptions> = {}): Promise<TestRedis> {
  const log = new MemoryLog();
  const access = new TestAccess();
  const events: string[] = [];
  const note = (name: string) => (text: string, fields?: object) => {
    events.push(`${name} ${text} ${JSON.stringify(fields ?? {})}`);
  };
  const server = await startRedisServer({
    listen: { host: '127.0.0.1', port: 0 },
    databases: () => [{ name: 'shop', reader: log }],
    authenticate: async (user, password) => {
      if (password === 'secret') return () => access;
      const message = `password authentication failed for user "${user}"`;
      throw new PgError({ code: '28P01', message });
    },
    defaultUser: 'app',
    openAccess: () => access,
    printEntry: printForTest,
    metrics: metricsInto(events),
    logger: {
      debug: note('debug'),
      info: note('info'),
      warn: note('warn'),
      error: note('error'),
    },
    ...changed,
  });
  return {
    log,
    access,
    events,
    get address() {
      return server.address;
    },
    drain: (deadlineMs) => server.drain(deadlineMs),
    close: () => server.close(),
  };
}

/** As texts, without what the rights hide. */
export const printForTest: EntryPrinter = ({ table, before, after }, rights) => {
  const json = (tuple: typeof before, isWanted: (isKey: boolean) => boolean) => {
    if (tuple === undefined || table === undefined) return undefined;
    const shown = table.columns.flatMap(({ name, isKey }, index) => {
      const isVisible =
        rights.kind === 'all' || (rights.kind === 'columns' && rights.visible[index]);
      return isVisible && isWanted(isKey) ? [[name, tuple[index]] as const] : [];
    });
    return JSON.stringify(Object.fromEntries(shown));
  };
  return {
    key: json(after ?? before, (isKey) => isKey),
    before: json(before, () => true),
    after: json(after, () => true),
    unchanged: [],
  };
};

function metricsInto(events: string[]): RedisMetrics {
  return {
    connectionOpened: () => events.push('opened'),
    connectionClosed: (reason) => events.push(`closed ${reason}`),
    transferred: () => undefined,
    commandAnswered: (command, errorClass) => events.push(`${command} ${errorClass ?? 'ok'}`),
    entriesSent: (count) => events.push(`entries ${count}`),
    clientBlocked: () => events.push('blocked'),
    clientUnblocked: () => events.push('unblocked'),
    authenticationFailed: () => events.push('authentication failed'),
  };
}
